import StrictJSON

/// ```
/// data = "{" [ key ":" ( value / "null" ) *( "," key ":" ( value / "null" ) ) ] "}"
/// ```
/// Keys rise strictly, as decoded bytes. Keys and values: see `RecordText`.
extension RecordParser {
    mutating func data(
        _ cursor: inout LineCursor, mayBeEmpty: Bool, _ flush: inout ParsedFlush.Storage
    ) throws(RecordError) -> Range<Int> {
        let start = flush.changes.count
        try cursor.pass(UInt8(ascii: "{"))
        if cursor.byte == UInt8(ascii: "}") {
            guard mayBeEmpty else { throw cursor.error(.emptyData) }
            cursor.offset &+= 1
            return start..<start
        }
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        repeat {
            let offset = cursor.offset
            let key = try key(&cursor, &flush.scratch)
            guard previous.precedes(key) else { throw RecordError(offset: offset, reason: .keyOrder) }
            previous = key
            try cursor.pass(UInt8(ascii: ":"))
            flush.changes.append(ParsedChange(key: key, value: try value(&cursor, &flush.scratch)))
        } while cursor.passes(UInt8(ascii: ","))
        try cursor.pass(UInt8(ascii: "}"))
        return start..<flush.changes.count
    }

    /// A key; never empty.
    func key(_ cursor: inout LineCursor, _ scratch: inout ScratchMemory) throws(RecordError) -> UnsafeRawBufferPointer {
        let offset = cursor.offset
        var key = try cursor.string(&scratch)
        if key.first == UInt8(ascii: "$") {
            let text = UnsafeRawBufferPointer(rebasing: key.dropFirst())
            guard let decoded = Self.base64(text, &scratch),
                decoded.first == UInt8(ascii: "$") || !UTF8Text.isValid(decoded)
            else { throw RecordError(offset: offset, reason: .otherKeySpelling) }
            key = decoded
        }
        guard (1...RecordLimits.keyBytesMax).contains(key.count) else {
            throw RecordError(offset: offset, reason: .keySize)
        }
        return key
    }

    /// A value; `nil` is `null`.
    private mutating func value(
        _ cursor: inout LineCursor, _ scratch: inout ScratchMemory
    ) throws(RecordError) -> UnsafeRawBufferPointer? {
        let offset = cursor.offset
        let value: UnsafeRawBufferPointer
        switch cursor.byte {
        case UInt8(ascii: "n"):
            try cursor.pass("null")
            return nil
        case UInt8(ascii: "\""):
            value = try cursor.string(&scratch)
            guard !RecordText.standsAsItIs(value, &scanner) else {
                throw RecordError(offset: offset, reason: .otherValueSpelling)
            }
        default: value = try rawValue(&cursor, &scratch)
        }
        guard value.count <= RecordLimits.valueBytesMax else {
            throw RecordError(offset: offset, reason: .valueTooLong)
        }
        return value
    }

    /// A value that stands as it is, or the base64 of one that is not UTF-8.
    private mutating func rawValue(
        _ cursor: inout LineCursor, _ scratch: inout ScratchMemory
    ) throws(RecordError) -> UnsafeRawBufferPointer {
        let start = cursor.offset
        do throws(JSONError) {
            cursor.offset = try scanner.scan(cursor.line, from: start)
        } catch {
            throw RecordError(offset: error.offset, reason: .malformedValue(error.reason))
        }
        let value = UnsafeRawBufferPointer(rebasing: cursor.line[start..<cursor.offset])
        guard RecordText.hasSoleBase64Key(scanner, cursor.line) else { return value }
        guard let text = Self.base64Text(of: value), let decoded = Self.base64(text, &scratch),
            !UTF8Text.isValid(decoded)
        else { throw RecordError(offset: start, reason: .otherValueSpelling) }
        return decoded
    }

    /// What stands between `{"$base64":"` and `"}`.
    private static func base64Text(of value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        var cursor = LineCursor(value)
        guard cursor.passes("{\"$base64\":\"") else { return nil }
        let end = value.count - 2
        guard end >= cursor.offset, value[end] == UInt8(ascii: "\"") else { return nil }
        return UnsafeRawBufferPointer(rebasing: value[cursor.offset..<end])
    }

    private static func base64(
        _ text: UnsafeRawBufferPointer, _ scratch: inout ScratchMemory
    ) -> UnsafeRawBufferPointer? {
        guard let count = Base64.decode(text, to: scratch.room(for: Base64.decodedCountMax(text))) else { return nil }
        return scratch.keep(count)
    }
}
