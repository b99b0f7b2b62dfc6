/// Walks one JSON value and checks it; makes nothing of it. Its storage is used again from value to value.
///
/// ```
/// value  = object / array / string / number / "true" / "false" / "null"
/// object = "{" [ string ":" value *( "," string ":" value ) ] "}"
/// array  = "[" [ value *( "," value ) ] "]"                          white space between tokens where it is allowed
/// ```
/// Guarantees: linear in time, no recursion, memory in proportion to the keys of the objects that are open, and no
/// read outside the text whatever the bytes are. The text is known to be UTF-8, or `validate` looks.
package struct JSONScanner: ~Copyable {
    let depthMax: Int
    let allowsWhiteSpace: Bool

    /// The containers that are open, the outermost first.
    private var levels: [Level] = []
    /// The keys of the objects that are open; of the outermost also when it is closed, until the next scan.
    var keys: [KeySpan] = []
    /// The keys among them that are spelled with escapes, decoded.
    var decodedKeys = ByteBuffer()

    private struct Level {
        var isObject: Bool
        var keysStart: Int
        var decodedStart: Int
    }

    /// Where a key's decoded bytes are: in the text, or in `decodedKeys`.
    struct KeySpan {
        var offset: Int
        var count: Int
        var isDecoded: Bool
        /// Where in the text it stands, for errors.
        var textOffset: Int
    }

    /// Objects and arrays nest at most `depthMax` deep, 1 to 64.
    package init(depthMax: Int = 32, allowsWhiteSpace: Bool = false) {
        precondition((1...64).contains(depthMax), "depthMax must be 1 to 64")
        self.depthMax = depthMax
        self.allowsWhiteSpace = allowsWhiteSpace
    }

    /// Checks that the whole text is one value and UTF-8.
    package mutating func validate(_ text: UnsafeRawBufferPointer) throws(JSONError) {
        if text.count >= 3 && text[0] == 0xEF && text[1] == 0xBB && text[2] == 0xBF {
            throw JSONError(offset: 0, reason: .byteOrderMark)
        }
        if let offset = UTF8Text.firstInvalidOffset(in: text) { throw JSONError(offset: offset, reason: .notUTF8) }
        let end = skipSpace(text, from: try scan(text))
        guard end == text.count else { throw unexpected(.trailingBytes, in: text, at: end) }
    }

    /// Checks the value that begins at `start`, in a text known to be UTF-8; where it ends.
    package mutating func scan(_ text: UnsafeRawBufferPointer, from start: Int = 0) throws(JSONError) -> Int {
        levels.removeAll(keepingCapacity: true)
        keys.removeAll(keepingCapacity: true)
        decodedKeys.truncate(to: 0)
        var offset = skipSpace(text, from: start)
        while true {
            if try opensContainer(text, &offset) { continue }
            if try !movesToNextValue(text, &offset) { return offset }
        }
    }

    /// The key of the value scanned last, decoded, if that is an object of exactly one member; `nil` otherwise.
    /// The text is the one that was scanned. Valid until the next scan.
    package func soleKey(in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        keys.count == 1 ? bytes(of: keys[0], in: text) : nil
    }

    func bytes(of key: KeySpan, in text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let source = key.isDecoded ? decodedKeys.bytes : text
        return UnsafeRawBufferPointer(rebasing: source[key.offset..<key.offset &+ key.count])
    }

    // MARK: One step

    /// At a value: passes a scalar or an empty container and returns false; or opens a container, stands at the first
    /// value in it and returns true.
    @inline(__always)
    private mutating func opensContainer(
        _ text: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(JSONError) -> Bool {
        switch byte(text, offset) {
        case UInt8(ascii: "\""): offset = try JSONString.end(in: text, from: offset &+ 1).end &+ 1
        case UInt8(ascii: "{"): return try opens(isObject: true, text, &offset)
        case UInt8(ascii: "["): return try opens(isObject: false, text, &offset)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): offset = try numberEnd(text, from: offset)
        case UInt8(ascii: "t"): try pass("true", text, &offset)
        case UInt8(ascii: "f"): try pass("false", text, &offset)
        case UInt8(ascii: "n"): try pass("null", text, &offset)
        default: throw unexpected(.expectedValue, in: text, at: offset)
        }
        return false
    }

    private mutating func opens(
        isObject: Bool, _ text: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(JSONError) -> Bool {
        guard levels.count < depthMax else { throw JSONError(offset: offset, reason: .tooDeep(depthMax: depthMax)) }
        offset = skipSpace(text, from: offset &+ 1)
        if byte(text, offset) == closingBracket(isObject) {
            offset &+= 1
            return false
        }
        levels.append(Level(isObject: isObject, keysStart: keys.count, decodedStart: decodedKeys.count))
        if isObject { try passKey(text, &offset) }
        return true
    }

    /// Behind a value: closes what ends here, and returns true at the next value, false behind the outermost one.
    @inline(__always)
    private mutating func movesToNextValue(
        _ text: UnsafeRawBufferPointer, _ offset: inout Int
    ) throws(JSONError) -> Bool {
        while let level = levels.last {
            offset = skipSpace(text, from: offset)
            let byte = byte(text, offset)
            if byte == UInt8(ascii: ",") {
                offset = skipSpace(text, from: offset &+ 1)
                if level.isObject { try passKey(text, &offset) }
                return true
            }
            guard byte == closingBracket(level.isObject) else {
                throw unexpected(.expectedCommaOrEnd, in: text, at: offset)
            }
            offset &+= 1
            if level.isObject { try close(level, text) }
            levels.removeLast()
        }
        return false
    }

    private mutating func close(_ level: Level, _ text: UnsafeRawBufferPointer) throws(JSONError) {
        if let offset = offsetOfDuplicate(in: level.keysStart..<keys.count, text) {
            throw JSONError(offset: offset, reason: .duplicateKey)
        }
        // The outermost object's keys stay, for `soleKey`.
        guard levels.count > 1 else { return }
        keys.removeSubrange(level.keysStart...)
        decodedKeys.truncate(to: level.decodedStart)
    }

    /// Passes a key and its colon, and remembers the key.
    private mutating func passKey(_ text: UnsafeRawBufferPointer, _ offset: inout Int) throws(JSONError) {
        guard byte(text, offset) == UInt8(ascii: "\"") else { throw unexpected(.expectedKey, in: text, at: offset) }
        let start = offset &+ 1
        let (end, hasEscapes) = try JSONString.end(in: text, from: start)
        if hasEscapes {
            let content = UnsafeRawBufferPointer(rebasing: text[start..<end])
            let decodedStart = decodedKeys.count
            decodedKeys.appendDecoded(content)
            let count = decodedKeys.count &- decodedStart
            keys.append(KeySpan(offset: decodedStart, count: count, isDecoded: true, textOffset: offset))
        } else {
            keys.append(KeySpan(offset: start, count: end &- start, isDecoded: false, textOffset: offset))
        }
        offset = skipSpace(text, from: end &+ 1)
        guard byte(text, offset) == UInt8(ascii: ":") else { throw unexpected(.expectedColon, in: text, at: offset) }
        offset = skipSpace(text, from: offset &+ 1)
    }
}
