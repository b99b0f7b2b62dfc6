import SeededRandom
import StrictJSON
import Testing

@Suite struct ByteBufferTests {
    @Test func `what is appended is there, in order, across every growth`() {
        var expected: [UInt8] = []
        let found = appended { buffer in
            for number in 0..<5_000 {
                let piece = Array("\(number),".utf8)
                if number.isMultiple(of: 2) { buffer.append(piece) } else { piece.forEach { buffer.append($0) } }
                buffer.append("é")
                expected += piece + [0xC3, 0xA9]
            }
        }
        #expect(found == expected)
    }

    @Test func `a buffer is empty after removeAll and shorter after truncate`() {
        var buffer = ByteBuffer(capacity: 10)
        buffer.append("hello world")
        buffer.truncate(to: 5)
        #expect(Array(buffer.bytes) == bytes("hello"))
        buffer.removeAll(keepingCapacity: true)
        #expect(buffer.isEmpty == true)
        buffer.append("again")
        #expect(buffer.withUnsafeBytes { Array($0) } == bytes("again"))
        buffer.removeAll()
        #expect(buffer.count == 0 && buffer.bytes.isEmpty)
        buffer.append([])
        #expect(buffer.isEmpty == true)
    }

    @Test(arguments: [0, 1, 9, 10, 11, 99, 100, 101, 999_999, 1_000_000, UInt64.max / 10, UInt64.max - 1, UInt64.max])
    func `a number is written in plain digits`(number: UInt64) {
        #expect(text(appended { $0.appendDecimal(number) }) == "\(number)")
        let signed = Int64(truncatingIfNeeded: number)
        #expect(text(appended { $0.appendDecimal(signed) }) == "\(signed)")
        #expect(text(appended { $0.appendDecimal(-(signed & .max)) }) == "\(-(signed & .max))")
    }

    @Test func `every power of ten has the right number of digits`() {
        var power: UInt64 = 1
        for _ in 0..<19 {
            power *= 10
            for number in [power - 1, power, power + 1] {
                #expect(text(appended { $0.appendDecimal(number) }) == "\(number)")
            }
        }
        #expect(text(appended { $0.appendDecimal(Int64.min) }) == "\(Int64.min)")
    }

    @Test(arguments: [
        (0, 6, "000000"), (123_456, 6, "123456"), (7, 3, "007"), (1_234, 2, "34"), (5, 1, "5"),
    ])
    func `a number can have a fixed count of digits`(number: UInt64, digits: Int, expected: String) {
        #expect(text(appended { $0.appendDecimal(number, digits: digits) }) == expected)
    }

    @Test func `every byte is two lower-case digits, and back`() {
        let all = (0...255).map { UInt8($0) }
        let digits = appended { buffer in all.withUnsafeBytes { buffer.appendHex($0) } }
        let expected = all.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(text(digits) == expected)
        #expect(text(appended { $0.appendHex(0x0102_ABCD) }) == "0102abcd")
        for start in stride(from: 0, to: 512, by: 8) {
            let word = digits.withUnsafeBytes { Word.load($0.baseAddress!, at: start) }
            #expect(Word.bytes(ofHexDigits: word).map { Word.hexDigits(of: $0) } == word)
        }
    }

    @Test func `only lower-case hexadecimal digits are read`() {
        for position in 0..<8 {
            for character in UInt8.min...UInt8.max {
                var digits = bytes("00000000")
                digits[position] = character
                let read = digits.withUnsafeBytes { Word.bytes(ofHexDigits: Word.load($0.baseAddress!, at: 0)) }
                #expect((read != nil) == (HexDigit.value(of: character) != nil))
                #expect((read != nil) == bytes("0123456789abcdef").contains(character))
            }
        }
    }

    @Test func `byte strings compare as their bytes do`() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<20_000 {
            let a = random.bytes(.random(in: 0...20, using: &random)).map { $0 & 0x81 }
            var b =
                Bool.random(using: &random) ? a : random.bytes(.random(in: 0...20, using: &random)).map { $0 & 0x81 }
            if !b.isEmpty && Bool.random(using: &random) { b[.random(in: b.indices, using: &random)] ^= 0x80 }
            a.withUnsafeBytes { left in
                b.withUnsafeBytes { right in
                    #expect(left.precedes(right) == a.lexicographicallyPrecedes(b))
                    #expect(left.hasSameBytes(as: right) == (a == b))
                    #expect(left.commonPrefixCount(with: right) == zip(a, b).prefix { $0 == $1 }.count)
                }
            }
        }
    }
}
