import SeededRandom
import StrictJSON
import Testing

@Suite struct JSONStringTests {
    @Test func `only quotes, backslashes and control characters are escaped`() {
        for character in UInt8(0)..<0x80 {
            let found = jsonString([character])!
            let expected =
                switch character {
                case 0..<0x10: #""\u000\#(String(character, radix: 16))""#
                case 0x10..<0x20: #""\u00\#(String(character, radix: 16))""#
                case UInt8(ascii: "\""): #""\"""#
                case UInt8(ascii: "\\"): #""\\""#
                default: "\"\(Character(UnicodeScalar(character)))\""
                }
            #expect(text(found) == expected)
        }
    }

    /// Words are looked at eight bytes at a time: each special byte at each place in them, in each length.
    @Test func `a byte that needs an escape is found wherever it stands`() {
        for count in 1...25 {
            for position in 0..<count {
                for (special, escape) in [(0x22, #"\""#), (0x5C, #"\\"#), (0x00, #"\u0000"#), (0x1F, #"\u001f"#)] {
                    var content = Array(repeating: UInt8(ascii: "~"), count: count)
                    content[position] = UInt8(special)
                    let found = jsonString(content)!
                    let plain = String(repeating: "~", count: count)
                    #expect(text(found) == "\"\(plain.prefix(position))\(escape)\(plain.dropFirst(position + 1))\"")
                    #expect(content.withUnsafeBytes { JSONString.plainEnd(in: $0, from: 0) } == position)
                }
            }
        }
    }

    @Test func `what is not UTF-8 is refused and leaves the buffer as it was`() {
        let samples: [[UInt8]] = [
            [0xFF], [0xC0, 0x80], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80],
            bytes("plain \" text ") + [0xE9], bytes("grün ") + [0xC3, 0x28],
        ]
        for sample in samples { #expect(jsonString(sample, behind: "before") == nil) }
    }

    @Test(arguments: [
        (#"plain"#, "plain"), (#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"), (#"\u0041\u00e9\u20AC"#, "Aé€"),
        (#"\ud83d\ude00 \uD83D\uDE00"#, "😀 😀"), (#"a\u0000b"#, "a\0b"), (#"\\u0041"#, #"\u0041"#), ("", ""),
        ("é\\u0301é", "é\u{301}é"),
    ])
    func `any valid escape is decoded`(content: String, expected: String) throws {
        let quoted = bytes(content) + bytes("\"")
        let (end, hasEscapes) = try quoted.withUnsafeBytes { try JSONString.end(in: $0, from: 0) }
        #expect(end == quoted.count - 1)
        #expect(hasEscapes == content.contains("\\"))
        #expect(decoded(bytes(content)) == bytes(expected))
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `bytes that are UTF-8 come back from their string`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let characters: [String] = [
            "a", "\"", "\\", "\u{1}", "\u{1f}", "é", "e\u{301}", "😀", "\u{7f}", "\u{ffff}", "u00", "\0",
        ]
        for _ in 0..<2_000 {
            let content = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                characters.randomElement(using: &random)!
            }.joined()
            let written = jsonString(bytes(content))!
            #expect(fault(written) == nil)
            #expect(decoded(Array(written.dropFirst().dropLast())) == bytes(content))
        }
    }

    private func decoded(_ content: [UInt8]) -> [UInt8] {
        appended { buffer in content.withUnsafeBytes { buffer.appendDecoded($0) } }
    }
}

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of RFC 4648 hold`(plain: String, encoded: String) {
        #expect(text(appended { buffer in bytes(plain).withUnsafeBytes { buffer.appendBase64($0) } }) == encoded)
        #expect(decodedBase64(bytes(encoded)) == bytes(plain))
    }

    @Test func `one byte has one spelling of two characters, two bytes one of three`() {
        let alphabet = bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var ones = Set<[UInt8]>()
        var twos = Set<[UInt8]>()
        var accepted = 0
        for a in alphabet {
            for b in alphabet {
                if let one = decodedBase64([a, b] + bytes("==")) { ones.insert(one); accepted += 1 }
                for c in alphabet {
                    if let two = decodedBase64([a, b, c] + bytes("=")) { twos.insert(two); accepted += 1 }
                }
            }
        }
        #expect(ones.count == 256 && twos.count == 65_536 && accepted == 256 + 65_536)
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "====", "=", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-", "Zm9_", "Z===",
        "Zm=v",
    ])
    func `anything but the canonical form is refused`(encoded: String) {
        #expect(decodedBase64(bytes(encoded)) == nil)
    }

    @Test func `bytes come back from their base64`() {
        var random = SeededGenerator(seed: 7)
        for count in 0..<400 {
            let plain = random.bytes(count)
            let encoded = appended { buffer in plain.withUnsafeBytes { buffer.appendBase64($0) } }
            #expect(encoded.count == Base64.encodedCount(count))
            #expect(decodedBase64(encoded) == plain)
        }
    }
}
