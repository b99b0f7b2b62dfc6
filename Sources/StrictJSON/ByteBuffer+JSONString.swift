/// Bytes as a JSON string: only `"`, `\` and U+0000–001F are escaped, the last as lower-case `\u00xx`.
extension ByteBuffer {
    /// Appends the text between quotes. Appends nothing and returns false if it is not UTF-8.
    package mutating func appendJSONString(_ text: UnsafeRawBufferPointer) -> Bool {
        let start = used
        reserve(text.count &+ Self.stringSlack)
        putUnchecked(UInt8(ascii: "\""))
        var offset = 0
        // The first byte from 0x80 on stops the copying once, to see whether the rest is UTF-8.
        var isKnownUTF8 = false
        while offset < text.count {
            offset &+= copyPlain(text, from: offset, stoppingAtNonASCII: !isKnownUTF8)
            guard offset < text.count else { break }
            let byte = text[offset]
            if byte >= 0x80 {
                guard UTF8Text.isValid(UnsafeRawBufferPointer(rebasing: text[offset...])) else {
                    used = start
                    return false
                }
                isKnownUTF8 = true
            } else {
                reserve(text.count &- offset &+ Self.stringSlack)
                putEscape(of: byte)
                offset &+= 1
            }
        }
        putUnchecked(UInt8(ascii: "\""))
        return true
    }

    /// Room for two quotes, one escape and the seven bytes that a word may be stored beyond the end.
    private static var stringSlack: Int { 16 }

    /// Copies up to the first byte that needs an escape (or a look), and says how many bytes that were.
    @inline(__always)
    private mutating func copyPlain(
        _ text: UnsafeRawBufferPointer, from start: Int, stoppingAtNonASCII: Bool
    ) -> Int {
        let source = text.baseAddress.unsafelyUnwrapped + start
        let target = end
        let count = text.count &- start
        let looked: UInt64 = stoppingAtNonASCII ? ~0 : 0
        var offset = 0
        var found: UInt64 = 0
        while offset &+ 8 <= count {
            let word = Word.load(source, at: offset)
            target.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            found = Word.needingEscape(word) | Word.nonASCII(word) & looked
            if found != 0 { break }
            offset &+= 8
        }
        if found == 0 {
            let word = Word.load(source, at: offset, count: count &- offset)
            target.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            found = Word.needingEscape(word) | Word.nonASCII(word) & looked
        }
        let copied = found == 0 ? count : offset &+ Word.firstIndex(found)
        used &+= copied
        return copied
    }

    private mutating func putEscape(of byte: UInt8) {
        guard byte < 0x20 else {
            putUnchecked(UInt8(ascii: "\\"))
            return putUnchecked(byte)
        }
        append(#"\u00"#)
        putUnchecked(HexDigit.character(of: byte &>> 4))
        putUnchecked(HexDigit.character(of: byte & 15))
    }

    /// Room is there already.
    @inline(__always)
    private mutating func putUnchecked(_ byte: UInt8) {
        end.storeBytes(of: byte, as: UInt8.self)
        used &+= 1
    }
}

extension ByteBuffer {
    /// Appends what the content of a JSON string stands for; the content is what `JSONString.end` has checked.
    package mutating func appendDecoded(_ content: UnsafeRawBufferPointer) {
        guard content.count > 0 else { return }
        reserve(content.count)
        used &+= JSONString.decode(content, to: end)
    }
}
