/// Base64 of RFC 4648, section 4, padded, and in one form alone: no line breaks, no missing or superfluous padding,
/// no bits set behind the last byte.
package enum Base64 {
    /// How many characters so many bytes take.
    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// How many bytes the text gives at most.
    package static func decodedCountMax(_ text: UnsafeRawBufferPointer) -> Int { text.count / 4 * 3 }

    /// Writes the bytes to `target`, which has room for `decodedCountMax`, and says how many they are;
    /// `nil` if the text is not canonical.
    package static func decode(_ text: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let padding = paddingCount(text)
        let whole = (text.count - padding) / 4
        var written = 0
        for group in 0..<whole {
            guard let bits = bits(of: text, from: group &* 4, count: 4) else { return nil }
            store(bits, count: 3, to: target, at: written)
            written &+= 3
        }
        guard padding > 0 else { return written }
        // Two characters give one byte and four bits to spare, three give two and two bits: all to be zero.
        guard let bits = bits(of: text, from: whole * 4, count: 4 - padding),
            bits & (padding == 2 ? 0xFFFF : 0xFF) == 0
        else { return nil }
        store(bits, count: 3 - padding, to: target, at: written)
        return written + 3 - padding
    }

    private static func paddingCount(_ text: UnsafeRawBufferPointer) -> Int {
        guard let last = text.last, last == UInt8(ascii: "=") else { return 0 }
        return text[text.count - 2] == last ? 2 : 1
    }

    /// Up to four characters as 24 bits, the first highest; `nil` if one is not of the alphabet.
    @inline(__always)
    private static func bits(of text: UnsafeRawBufferPointer, from offset: Int, count: Int) -> UInt32? {
        var bits: UInt32 = 0
        for index in 0..<count {
            let value = value(of: text[offset &+ index])
            guard value < 64 else { return nil }
            bits |= UInt32(value) &<< (18 &- 6 &* UInt32(truncatingIfNeeded: index))
        }
        return bits
    }

    @inline(__always)
    private static func store(_ bits: UInt32, count: Int, to target: UnsafeMutableRawPointer, at offset: Int) {
        for index in 0..<count {
            let byte = UInt8(truncatingIfNeeded: bits &>> (16 &- 8 &* UInt32(truncatingIfNeeded: index)))
            target.storeBytes(of: byte, toByteOffset: offset &+ index, as: UInt8.self)
        }
    }

    /// 0 to 63; 255 for what is not of the alphabet.
    @inline(__always)
    private static func value(of character: UInt8) -> UInt8 {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character &- UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character &- UInt8(ascii: "a") &+ 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character &- UInt8(ascii: "0") &+ 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: 255
        }
    }
}

extension ByteBuffer {
    package mutating func appendBase64(_ bytes: UnsafeRawBufferPointer) {
        let target = Base64.encodedCount(bytes.count)
        reserve(target)
        var offset = 0
        while offset < bytes.count {
            let count = min(3, bytes.count &- offset)
            var bits: UInt32 = 0
            for index in 0..<count {
                bits |= UInt32(bytes[offset &+ index]) &<< (16 &- 8 &* UInt32(truncatingIfNeeded: index))
            }
            for index in 0..<4 {
                let value = UInt8(truncatingIfNeeded: bits &>> (18 &- 6 &* UInt32(truncatingIfNeeded: index))) & 63
                let character = index <= count ? Self.base64Character(of: value) : UInt8(ascii: "=")
                end.storeBytes(of: character, toByteOffset: index, as: UInt8.self)
            }
            used &+= 4
            offset &+= 3
        }
    }

    @inline(__always)
    private static func base64Character(of value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") &+ value
        case 26..<52: UInt8(ascii: "a") &+ value &- 26
        case 52..<62: UInt8(ascii: "0") &+ value &- 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
