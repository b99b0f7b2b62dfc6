import CommitLog
import Hashing
import SpecSupport
import Testing

/// Room ahead of the log's end, which a thread makes while flushes are written.
@Suite struct PreallocationTests {
    private static let first = LogNames.segment(1)

    /// The writer of a log that was just made.
    private static func writer(_ disk: SimulatedDisk, segmentBytesMax: Int) throws -> LogWriter {
        let new = LogTip(newStore: StoreID(bytes: Array(0..<16))!, root: .zero, timestamp: 0)
        let tip = try LogWriter.create(disk, new)
        return try LogWriter(
            disk, at: tip, firstOffset: tip.offset, options: .init(segmentBytesMax: segmentBytesMax))
    }

    @Test func `room is made ahead in growing steps, then for the segment to come, which takes it over`() throws {
        let disk = SimulatedDisk()
        let segmentBytesMax = 20 << 20
        let writer = try Self.writer(disk, segmentBytesMax: segmentBytesMax)
        var (offset, newestSteps, spareSteps) = (writer.tip.offset, 0, 0)
        func size(_ name: String) -> Int { disk.files[name]?.count ?? 0 }
        while !writer.needsRotation(at: offset, 100_000) {
            try writer.reserve(at: offset, 100_000)
            offset += 100_000
            let before = (size(Self.first), size(LogNames.nextSegment))
            while writer.isRoomDue { writer.makeAhead() }
            if size(Self.first) > before.0 { newestSteps += 1 }
            if size(LogNames.nextSegment) > before.1 { spareSteps += 1 }
        }
        #expect((4...10).contains(newestSteps) && spareSteps > 0, "\(newestSteps), \(spareSteps)")
        #expect(size(Self.first) == segmentBytesMax && size(LogNames.nextSegment) == segmentBytesMax)
        let (calls, used) = (Calls(), writer.tip.offset)
        disk.watch { call, _, _ in calls.note(call) }
        try writer.rotate(timestamp: 1)
        disk.watch(nil)
        #expect(!calls.all.contains("posix_fallocate"))
        #expect(size(Self.first) == used && size(LogNames.nextSegment) == 0)
        let next = try #require(disk.files[LogNames.segment(2)])
        #expect(next.count == segmentBytesMax && next[writer.tip.offset...].allSatisfy { $0 == 0 })
    }

    @Test func `a spare beside a segment that has all its room is made in growing steps`() throws {
        let disk = SimulatedDisk()
        let segmentBytesMax = 20 << 20
        let writer = try Self.writer(disk, segmentBytesMax: segmentBytesMax)
        try writer.reserve(at: writer.tip.offset, segmentBytesMax - writer.tip.offset)
        var steps = 0
        while writer.isRoomDue {
            writer.makeAhead()
            steps += 1
        }
        #expect(disk.files[LogNames.nextSegment]?.count == segmentBytesMax)
        #expect((4...10).contains(steps), "\(steps)")
    }

    @Test func `room that cannot be made ahead is left to who needs it, and is made ahead again once there is some`()
        throws
    {
        let disk = SimulatedDisk()
        let writer = try Self.writer(disk, segmentBytesMax: 1 << 20)
        let offset = writer.tip.offset + 40_000
        try writer.reserve(at: writer.tip.offset, 40_000)
        #expect(writer.isRoomDue)
        disk.setFault { call, _ in call == "posix_fallocate" ? 28 : nil }
        writer.makeAhead()
        #expect(!writer.isRoomDue)
        #expect(throws: DiskError(call: "posix_fallocate", name: Self.first, errno: 28)) {
            try writer.reserve(at: offset, 100_000)
        }
        #expect(!writer.hasRoom(at: offset, 100_000))
        disk.setFault(nil)
        try writer.reserve(at: offset, 100_000)
        #expect(writer.hasRoom(at: offset, 100_000))
        #expect(writer.isRoomDue)
    }
}

/// `@unchecked Sendable`, because the test's one thread makes all calls.
private final class Calls: @unchecked Sendable {
    private(set) var all: Set<String> = []
    func note(_ call: String) { all.insert(call) }
}
