import CHashing
import Hashing
import SeededRandom
import Testing

struct CRC32CTests {
    /// RFC 3720, appendix B.4, and the check value that every catalogue of checksums gives.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xe306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
            ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
            (Array(0..<32), 0x46dd_794e),
            (Array((0..<32).reversed()), 0x113f_db5c),
            ([], 0),
        ] as [([UInt8], UInt32)])
    func `known bytes have known checksums`(bytes: [UInt8], checksum: UInt32) {
        #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == checksum)
        #expect(reference(bytes) == checksum)
    }

    /// Up to 3200 bytes the three lanes of the instruction take every length they can, and with it every constant.
    @Test(arguments: [0, 1, 3, 7])
    func `instruction, tables and definition agree on every length`(start: Int) {
        let bytes = SeededGenerator.sample(start + 3200)
        var expected: UInt32 = 0
        for length in 0...3200 {
            expectAllWays(bytes[start..<start + length], continuing: 0, give: expected)
            if length < 3200 { expected = reference(CollectionOfOne(bytes[start + length]), continuing: expected) }
        }
    }

    @Test(arguments: [4096, 6143, 6144, 6145, 65_537, (1 << 20) - 3])
    func `instruction, tables and definition agree on long input`(length: Int) {
        let bytes = SeededGenerator.sample(3 + length)
        expectAllWays(bytes[3...], continuing: 0, give: reference(bytes[3...]))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a checksum continues over any pieces`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int.random(in: 0...3000, using: &generator))
        let cut = Int.random(in: 0...bytes.count, using: &generator)
        let first = reference(bytes[..<cut])
        expectAllWays(bytes[cut...], continuing: first, give: reference(bytes))
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `the checksum of a whole is the shifted one of its head and that of its tail`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int.random(in: 0...3000, using: &generator))
        let cut = Int.random(in: 0...bytes.count, using: &generator)
        let shifted = CRC32C.shift(reference(bytes[..<cut]), by: bytes.count - cut)
        #expect(shifted ^ reference(bytes[cut...]) == reference(bytes), "seed \(seed)")
    }

    @Test(arguments: 0..<63 as Range<UInt64>)
    func `two shifts are one by the sum`(bits: UInt64) {
        var generator = SeededGenerator(seed: bits)
        let crc = UInt32(truncatingIfNeeded: generator.next())
        let (a, b) = (generator.next() >> (64 - bits), generator.next() >> (64 - bits))
        #expect(rootfast_crc32c_shift(rootfast_crc32c_shift(crc, a), b) == rootfast_crc32c_shift(crc, a + b))
    }

    @Test func `a shift by every power of two is twice the one before`() {
        for bit in 0..<63 {
            let half = UInt64(1) << UInt64(bit)
            let twice = rootfast_crc32c_shift(rootfast_crc32c_shift(0xdead_beef, half), half)
            #expect(rootfast_crc32c_shift(0xdead_beef, 2 * half) == twice, "bit \(bit)")
        }
        #expect(CRC32C.shift(0xdead_beef, by: 0) == 0xdead_beef)
    }

    @Test func `this machine has the instruction`() throws {
        if rootfast_crc32c_hardware_supported() == 0 { try Test.cancel("the tables alone were tested") }
    }

    private func expectAllWays(_ bytes: ArraySlice<UInt8>, continuing crc: UInt32, give expected: UInt32) {
        bytes.withUnsafeBytes { bytes in
            #expect(CRC32C.checksum(bytes, continuing: crc) == expected, "\(bytes.count) bytes")
            let tables = rootfast_crc32c_tables(crc, bytes.baseAddress, bytes.count)
            #expect(tables == expected, "\(bytes.count) bytes, tables")
            guard rootfast_crc32c_hardware_supported() != 0 else { return }
            let hardware = rootfast_crc32c_hardware(crc, bytes.baseAddress, bytes.count)
            #expect(hardware == expected, "\(bytes.count) bytes, instruction")
        }
    }

    /// The definition: a division by the polynomial, bit by bit.
    private func reference(_ bytes: some Sequence<UInt8>, continuing crc: UInt32 = 0) -> UInt32 {
        ~bytes.reduce(~crc) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) }
        }
    }
}
