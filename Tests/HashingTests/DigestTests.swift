import Hashing
import Testing

struct DigestTests {
    private let bytes = Array(0..<32 as Range<UInt8>)
    private let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

    @Test func `a digest is its 32 bytes in order, and their hexadecimal`() throws {
        let digest = try #require(Digest(bytes: bytes))
        #expect(digest.bytes == bytes)
        #expect(digest.hex == hex)
        #expect("\(digest)" == hex)
        #expect(Digest(hex: hex) == digest)
        #expect(digest.withUnsafeBytes { Array($0) } == bytes)
    }

    @Test func `zero is 32 zero bytes`() {
        #expect(Digest.zero.bytes == [UInt8](repeating: 0, count: 32))
        #expect(Digest() == .zero)
    }

    @Test(arguments: [0, 1, 31, 33, 64])
    func `any other number of bytes is refused`(count: Int) {
        #expect(Digest(bytes: [UInt8](repeating: 7, count: count)) == nil)
    }

    @Test func `bytes that are not contiguous are read as well`() {
        #expect(Digest(bytes: bytes.lazy.map { $0 }) == Digest(bytes: bytes))
        #expect(Digest(bytes: ([9] + bytes)[1...]) == Digest(bytes: bytes))
    }

    @Test func `hexadecimal of any other length, case or alphabet is refused`() {
        let tail = String(hex.dropFirst(2))
        var refused = ["", tail, String(hex.dropLast()), "\(hex)00", hex.uppercased()]
        refused += ["0g", " 0", "0x", "é", "\u{0}0"].map { $0 + tail }
        for text in refused { #expect(Digest(hex: text) == nil, "\(text)") }
    }

    @Test(arguments: 0..<32)
    func `digests that differ in one byte are different`(index: Int) {
        var other = bytes
        other[index] ^= 0x80
        #expect(Digest(bytes: other) != Digest(bytes: bytes))
    }

    @Test func `what a body throws comes out`() {
        struct Refusal: Error {}
        #expect(throws: Refusal.self) { try Digest.zero.withUnsafeBytes { _ in throw Refusal() } }
    }
}

struct HexTests {
    @Test func `every byte has one spelling, which reads back`() {
        let bytes = Array(0...255 as ClosedRange<UInt8>)
        let text = Hex.encode(bytes)
        #expect(String(decoding: text[..<40], as: UTF8.self) == "000102030405060708090a0b0c0d0e0f10111213")
        #expect(String(decoding: text.suffix(8), as: UTF8.self) == "fcfdfeff")
        #expect(Hex.decode(text) == bytes)
        #expect(Hex.encode([]) == [] && Hex.decode([]) == [])
    }

    @Test func `only the sixteen lower-case digits are read`() {
        let digits = Set("0123456789abcdef".utf8)
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect((Hex.decode([byte, 0x30]) != nil) == digits.contains(byte))
            #expect((Hex.decode([0x30, byte]) != nil) == digits.contains(byte))
        }
    }

    @Test func `half a byte is refused`() {
        #expect(Hex.decode(Array("0".utf8)) == nil)
        #expect(Hex.decode(Array("abc".utf8)) == nil)
    }
}
