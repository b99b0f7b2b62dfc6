import CHashing
import Hashing
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

    @Test func `instruction, tables and definition agree on every length and start`() throws {
        let bytes = SeededGenerator.sample(2100)
        for length in 0...2000 {
            let start = length % 67
            let expected = reference(bytes[start..<start + length])
            bytes.withUnsafeBytes { all in
                let part = UnsafeRawBufferPointer(rebasing: all[start..<start + length])
                expectAllWays(part, continuing: 0, give: expected)
            }
        }
    }

    @Test func `instruction, tables and definition agree on long input`() {
        let bytes = SeededGenerator.sample(1 << 20)
        for length in [3071, 3072, 3073, 3095, 3096, 4096, 6143, 6144, 6145, 65_537, (1 << 20) - 3] {
            let expected = reference(bytes[3..<3 + length])
            bytes.withUnsafeBytes { all in
                expectAllWays(UnsafeRawBufferPointer(rebasing: all[3..<3 + length]), continuing: 0, give: expected)
            }
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a checksum continues over any pieces`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int.random(in: 0...3000, using: &generator))
        let cut = Int.random(in: 0...bytes.count, using: &generator)
        let first = reference(bytes[..<cut])
        bytes.withUnsafeBytes { all in
            let rest = UnsafeRawBufferPointer(rebasing: all[cut...])
            expectAllWays(rest, continuing: first, give: reference(bytes))
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `the checksum of a whole is the shifted one of its head and that of its tail`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = generator.bytes(Int.random(in: 0...3000, using: &generator))
        let cut = Int.random(in: 0...bytes.count, using: &generator)
        let shifted = CRC32C.shift(reference(bytes[..<cut]), by: bytes.count - cut)
        #expect(shifted ^ reference(bytes[cut...]) == reference(bytes), "seed \(seed)")
    }

    @Test(arguments: 0..<64)
    func `two shifts are one by the sum`(bit: Int) {
        var generator = SeededGenerator(seed: UInt64(bit))
        let crc = UInt32(truncatingIfNeeded: generator.next())
        // Any two lengths whose sum stays within 64 bits.
        let (a, b) = (generator.next() >> (64 - UInt64(bit)) / 2, generator.next() >> (64 - UInt64(bit)) / 2 + 1)
        let (sum, overflow) = a.addingReportingOverflow(b)
        if overflow { return }
        #expect(rootfast_crc32c_shift(rootfast_crc32c_shift(crc, a), b) == rootfast_crc32c_shift(crc, sum))
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

    private func expectAllWays(_ bytes: UnsafeRawBufferPointer, continuing crc: UInt32, give expected: UInt32) {
        #expect(CRC32C.checksum(bytes, continuing: crc) == expected, "\(bytes.count) bytes")
        #expect(rootfast_crc32c_tables(crc, bytes.baseAddress, bytes.count) == expected, "\(bytes.count) bytes, tables")
        if rootfast_crc32c_hardware_supported() != 0 {
            let checksum = rootfast_crc32c_hardware(crc, bytes.baseAddress, bytes.count)
            #expect(checksum == expected, "\(bytes.count) bytes, instruction")
        }
    }

    /// The definition: a division by the polynomial, bit by bit.
    private func reference(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0x82f6_3b78) }
        }
    }
}
