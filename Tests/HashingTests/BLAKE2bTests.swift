import Hashing
import SeededRandom
import Testing

struct BLAKE2bTests {
    /// The digests are those of `b2sum -l 256`.
    @Test(arguments: [
        ("", "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
        ("abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
    ])
    func `known messages have known digests`(message: String, digest: String) {
        #expect(BLAKE2b.hash(Array(message.utf8)).hex == digest)
        #expect(Oracle.hash(Array(message.utf8)).hex == digest)
    }

    @Test func `one message alone agrees with libb2 on every length`() {
        var generator = SeededGenerator(seed: 1)
        let bytes = generator.bytes(1300)
        for length in 0...1200 {
            let start = length % 64
            let message = Array(bytes[start..<start + length])
            bytes.withUnsafeBytes { all in
                #expect(
                    BLAKE2b.hash(UnsafeRawBufferPointer(rebasing: all[start..<start + length])) == Oracle.hash(message))
            }
        }
    }

    @Test func `a collection without contiguous storage hashes as its bytes do`() {
        let bytes = SeededGenerator.sample(300)
        #expect(BLAKE2b.hash(bytes.lazy.map { $0 }) == Oracle.hash(bytes))
        #expect(BLAKE2b.hash(bytes[7..<250]) == Oracle.hash(Array(bytes[7..<250])))
        #expect(BLAKE2b.hash("a string".utf8) == Oracle.hash(Array("a string".utf8)))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a stream in any pieces is the message in one`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let message = generator.bytes(Int.random(in: 0...2000, using: &generator))
        let pieceMax = [1, 10, 127, 128, 129, 256, 1000].randomElement(using: &generator)!
        var stream = BLAKE2b.Stream()
        var done = 0
        while done < message.count {
            let end = min(done + Int.random(in: 0...pieceMax, using: &generator), message.count)
            stream.update(message[done..<end])
            done = end
        }
        #expect(stream.finish() == Oracle.hash(message), "seed \(seed)")
    }

    @Test(arguments: [0, 1, 127, 128, 129, 256, 384, 400])
    func `a stream cut once at any point is the message in one`(length: Int) {
        let message = SeededGenerator.sample(length)
        let expected = Oracle.hash(message)
        for cut in 0...length {
            var stream = BLAKE2b.Stream()
            message.withUnsafeBytes { bytes in
                stream.update(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
                stream.update(UnsafeRawBufferPointer(rebasing: bytes[cut...]))
            }
            #expect(stream.finish() == expected, "cut at \(cut)")
        }
    }

    @Test func `a digest can be taken on the way, and a copy goes its own way`() {
        let message = SeededGenerator.sample(300)
        var stream = BLAKE2b.Stream()
        #expect(stream.finish() == Oracle.hash([]))
        stream.update(message)
        #expect(stream.finish() == Oracle.hash(message))
        var fork = stream
        fork.update(message.lazy.map { $0 ^ 1 })
        stream.update(message)
        #expect(stream.finish() == Oracle.hash(message + message))
        #expect(fork.finish() == Oracle.hash(message + message.map { $0 ^ 1 }))
    }

    @Test func `an update with nothing changes nothing`() {
        var stream = BLAKE2b.Stream()
        stream.update(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(stream.finish() == BLAKE2b.hash(UnsafeRawBufferPointer(start: nil, count: 0)))
        #expect(stream.finish() == Oracle.hash([]))
    }
}

extension SeededGenerator {
    static func sample(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: 11)
        return generator.bytes(count)
    }
}
