/// Four bytes as eight lower-case hexadecimal digits, and back: one word, no table.
extension Word {
    /// The digits of four bytes, the first byte lowest in both.
    package static func hexDigits(of bytes: UInt32) -> UInt64 {
        var spread = UInt64(bytes)
        spread = (spread | spread &<< 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread &<< 8) & 0x00FF_00FF_00FF_00FF
        let nibbles = spread &>> 4 & 0x000F_000F_000F_000F | (spread & 0x000F_000F_000F_000F) &<< 8
        // From ten on, adding 0x76 reaches the high bit; "a" is 39 further than "9" + 1.
        let letters = (nibbles &+ ones &* 0x76) &>> 7 & ones
        return nibbles &+ ones &* UInt64(UInt8(ascii: "0")) &+ letters &* 39
    }

    /// The four bytes of eight digits; `nil` if one is not a lower-case digit.
    package static func bytes(ofHexDigits word: UInt64) -> UInt32? {
        guard nonASCII(word) == 0 else { return nil }
        // With every byte below 0x80, adding a constant reaches the high bit from a known byte on.
        let digits = reaching("0", word) & ~reaching(":", word)
        let letters = reaching("a", word) & ~reaching("g", word)
        guard (digits | letters) & highBits == highBits else { return nil }
        let nibbles = (word & 0x0F0F_0F0F_0F0F_0F0F) &+ (word &>> 6 & ones) &* 9
        var packed = (nibbles &<< 4 | nibbles &>> 8) & 0x00FF_00FF_00FF_00FF
        packed = (packed | packed &>> 8) & 0x0000_FFFF_0000_FFFF
        return UInt32(truncatingIfNeeded: packed | packed &>> 16)
    }

    @inline(__always)
    private static func reaching(_ character: Unicode.Scalar, _ word: UInt64) -> UInt64 {
        word &+ ones &* UInt64(0x80 &- UInt8(ascii: character))
    }
}
