/// The tokens that need no state: words, numbers, white space.
extension JSONScanner {
    /// The byte at the offset; 0, which no token holds, at the end.
    @inline(__always)
    func byte(_ text: UnsafeRawBufferPointer, _ offset: Int) -> UInt8 {
        offset < text.count ? text[offset] : 0
    }

    @inline(__always)
    func closingBracket(_ isObject: Bool) -> UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }

    @inline(__always)
    func skipSpace(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard allowsWhiteSpace else { return start }
        var offset = start
        while offset < text.count && JSONScanner.isSpace(text[offset]) { offset &+= 1 }
        return offset
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    func pass(_ word: StaticString, _ text: UnsafeRawBufferPointer, _ offset: inout Int) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard byte(text, offset &+ index) == word.utf8Start[index] else {
                throw unexpected(.expectedValue, in: text, at: offset &+ index)
            }
        }
        offset &+= word.utf8CodeUnitCount
    }

    /// number = [ "-" ] ( "0" / digit1-9 *digit ) [ "." 1*digit ] [ ( "e" / "E" ) [ "+" / "-" ] 1*digit ]
    func numberEnd(_ text: UnsafeRawBufferPointer, from start: Int) throws(JSONError) -> Int {
        var offset = start
        if byte(text, offset) == UInt8(ascii: "-") { offset &+= 1 }
        if byte(text, offset) == UInt8(ascii: "0") {
            offset &+= 1
        } else {
            offset = try digitsEnd(text, from: offset)
        }
        if byte(text, offset) == UInt8(ascii: ".") { offset = try digitsEnd(text, from: offset &+ 1) }
        if byte(text, offset) | 0x20 == UInt8(ascii: "e") {
            offset &+= 1
            let sign = byte(text, offset)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset &+= 1 }
            offset = try digitsEnd(text, from: offset)
        }
        // "01", "1.2.3", "-e": what cannot follow a value is a malformed number, not a missing comma.
        let next = byte(text, offset)
        guard next &- UInt8(ascii: "0") > 9, next != UInt8(ascii: ".") else {
            throw JSONError(offset: offset, reason: .malformedNumber)
        }
        return offset
    }

    /// One digit or more.
    private func digitsEnd(_ text: UnsafeRawBufferPointer, from start: Int) throws(JSONError) -> Int {
        var offset = start
        while byte(text, offset) &- UInt8(ascii: "0") <= 9 { offset &+= 1 }
        guard offset > start else {
            throw JSONError(offset: offset, reason: offset < text.count ? .malformedNumber : .endsEarly)
        }
        return offset
    }

    /// Why the byte here will not do: the end and white space are reasons of their own.
    func unexpected(
        _ reason: JSONError.Reason, in text: UnsafeRawBufferPointer, at offset: Int
    ) -> JSONError {
        guard offset < text.count else { return JSONError(offset: text.count, reason: .endsEarly) }
        let isSpace = !allowsWhiteSpace && JSONScanner.isSpace(text[offset])
        return JSONError(offset: offset, reason: isSpace ? .whiteSpace : reason)
    }
}
