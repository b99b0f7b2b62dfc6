/// What stands between the quotes of a JSON string:
///
/// ```
/// string = '"' *( plain / escape ) '"'
/// plain  = any character but `"`, `\` and U+0000–001F
/// escape = `\` ( `"` / `\` / `/` / b / f / n / r / t / u 4hex )    a surrogate only as a pair, high then low
/// ```
/// The text is known to be UTF-8: whoever calls has looked.
@usableFromInline
package enum JSONString {
    /// Where the first byte from `start` on stands that is `"`, `\` or a control character; the text's count if none.
    @inlinable
    package static func plainEnd(in text: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = text.baseAddress else { return start }
        var offset = start
        while offset &+ 8 <= text.count {
            let found = Word.needingEscape(Word.load(base, at: offset))
            if found != 0 { return offset &+ Word.firstIndex(found) }
            offset &+= 8
        }
        let rest = text.count &- offset
        let found = Word.needingEscape(Word.load(base, at: offset, count: rest))
        return found == 0 ? text.count : offset &+ Word.firstIndex(found)
    }

    /// Checks the string whose content begins at `start`; where its closing quote stands, and whether it has escapes.
    package static func end(
        in text: UnsafeRawBufferPointer, from start: Int
    ) throws(JSONError) -> (end: Int, hasEscapes: Bool) {
        var offset = start
        var hasEscapes = false
        while true {
            offset = plainEnd(in: text, from: offset)
            guard offset < text.count else { throw JSONError(offset: offset, reason: .endsEarly) }
            switch text[offset] {
            case UInt8(ascii: "\""): return (offset, hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                offset = try escapeEnd(in: text, at: offset)
            default: throw JSONError(offset: offset, reason: .controlCharacter)
            }
        }
    }

    /// Decodes content that `end` has checked, and says how many bytes it took; `target` has room for as many as the
    /// content has.
    package static func decode(_ content: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer) -> Int {
        var offset = 0
        var written = 0
        while offset < content.count {
            // Checked content has neither quotes nor control characters, so a plain run ends at a backslash.
            let plain = plainEnd(in: content, from: offset) &- offset
            (target + written).copyMemory(from: content.baseAddress.unsafelyUnwrapped + offset, byteCount: plain)
            offset &+= plain
            written &+= plain
            guard offset < content.count else { break }
            written &+= decodeEscape(in: content, &offset, to: target + written)
        }
        return written
    }

    /// Decodes one escape and passes it; how many bytes it took.
    private static func decodeEscape(
        in content: UnsafeRawBufferPointer, _ offset: inout Int, to target: UnsafeMutableRawPointer
    ) -> Int {
        if let byte = simpleEscape(content[offset + 1]) {
            offset &+= 2
            target.storeBytes(of: byte, as: UInt8.self)
            return 1
        }
        let scalar = scalar(in: content, at: offset)
        offset &+= scalar.value > 0xFFFF ? 12 : 6
        var written = 0
        for byte in UTF8.encode(scalar).unsafelyUnwrapped {
            target.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
            written &+= 1
        }
        return written
    }

    // MARK: Escapes

    private static func escapeEnd(in text: UnsafeRawBufferPointer, at offset: Int) throws(JSONError) -> Int {
        guard offset + 1 < text.count else { throw JSONError(offset: text.count, reason: .endsEarly) }
        guard text[offset + 1] == UInt8(ascii: "u") else {
            guard simpleEscape(text[offset + 1]) != nil else {
                throw JSONError(offset: offset, reason: .unknownEscape)
            }
            return offset + 2
        }
        let unit = try codeUnit(in: text, at: offset + 2)
        guard UTF16.isSurrogate(unit) else { return offset + 6 }
        guard UTF16.isLeadSurrogate(unit), offset + 7 < text.count,
            text[offset + 6] == UInt8(ascii: "\\"), text[offset + 7] == UInt8(ascii: "u"),
            UTF16.isTrailSurrogate(try codeUnit(in: text, at: offset + 8))
        else { throw JSONError(offset: offset, reason: .loneSurrogate) }
        return offset + 12
    }

    /// The character of a checked `\u` escape, or pair of them.
    private static func scalar(in content: UnsafeRawBufferPointer, at offset: Int) -> Unicode.Scalar {
        let unit = codeUnitUnchecked(in: content, at: offset + 2)
        guard UTF16.isSurrogate(unit) else { return Unicode.Scalar(unit).unsafelyUnwrapped }
        let low = codeUnitUnchecked(in: content, at: offset + 8)
        return UTF16.decode(UTF16.EncodedScalar([unit, low]))
    }

    private static func simpleEscape(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): character
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    private static func codeUnit(in text: UnsafeRawBufferPointer, at offset: Int) throws(JSONError) -> UInt16 {
        guard offset + 4 <= text.count else { throw JSONError(offset: text.count, reason: .endsEarly) }
        for index in offset..<offset + 4 where nibble(text[index]) == nil {
            throw JSONError(offset: index, reason: .unknownEscape)
        }
        return codeUnitUnchecked(in: text, at: offset)
    }

    private static func codeUnitUnchecked(in text: UnsafeRawBufferPointer, at offset: Int) -> UInt16 {
        var unit: UInt16 = 0
        for index in offset..<offset + 4 { unit = unit &<< 4 | UInt16(nibble(text[index]).unsafelyUnwrapped) }
        return unit
    }

    /// Either case: any valid spelling is read.
    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character &- UInt8(ascii: "A") &+ 10
        default: HexDigit.value(of: character)
        }
    }
}
