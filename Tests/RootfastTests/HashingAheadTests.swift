import Rootfast
import Testing

/// When the open flush is hashed while the disk is busy with the one before.
@Suite struct HashingAheadTests {
    /// Four were answered, the disk takes 100 µs and hashing 40, and the disk began at 1000.
    private static func begun() -> HashingAhead {
        var ahead = HashingAhead()
        for _ in 0..<40 {
            ahead.noteClosed(answering: 4)
            ahead.beginDisk(at: 800, afterHashing: 40)
            ahead.endDisk(at: 900)
        }
        ahead.noteClosed(answering: 4)
        ahead.beginDisk(at: 1000, afterHashing: 40)
        return ahead
    }

    @Test func `it is hashed once all who were answered have come again`() {
        var ahead = Self.begun()
        for _ in 0..<3 { ahead.noteArrival() }
        #expect(!ahead.isDue(at: 1010))
        ahead.noteArrival()
        #expect(ahead.isDue(at: 1010))
        ahead.noteHashed(in: 40)
        ahead.noteArrival()
        #expect(!ahead.isDue(at: 1011))
    }

    @Test func `it is not hashed where the disk would have to wait for that`() {
        var ahead = Self.begun()
        for _ in 0..<4 { ahead.noteArrival() }
        #expect(ahead.isDue(at: 1050))
        #expect(!ahead.isDue(at: 1060))
        ahead.endDisk(at: 1100)
        #expect(!ahead.isDue(at: 1010))
    }

    @Test func `nobody is awaited, nothing is hashed`() {
        var ahead = Self.begun()
        ahead.endDisk(at: 1100)
        ahead.noteClosed(answering: 0)
        ahead.beginDisk(at: 1200, afterHashing: 40)
        ahead.noteArrival()
        #expect(!ahead.isDue(at: 1201))
    }

    /// What is left to hash of a flush that was hashed ahead says nothing of the next.
    @Test func `a whole flush's hashing is what counts`() {
        var ahead = Self.begun()
        for _ in 0..<4 { ahead.noteArrival() }
        ahead.noteHashed(in: 90)
        ahead.endDisk(at: 1100)
        ahead.noteClosed(answering: 4)
        ahead.beginDisk(at: 1200, afterHashing: 1)
        for _ in 0..<4 { ahead.noteArrival() }
        #expect(!ahead.isDue(at: 1220))
        #expect(ahead.isDue(at: 1205))
    }

    @Test func `a clock that is set back stops nothing`() {
        var ahead = Self.begun()
        for _ in 0..<4 { ahead.noteArrival() }
        #expect(ahead.isDue(at: 10))
        ahead.endDisk(at: 10)
        ahead.noteClosed(answering: 4)
        ahead.beginDisk(at: 20, afterHashing: 40)
        for _ in 0..<4 { ahead.noteArrival() }
        #expect(ahead.isDue(at: 25))
    }
}
