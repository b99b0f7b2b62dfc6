/// Reads one JSON text in any valid spelling, value by value, in the order in which it stands.
///
/// The whole text is checked at the start (see `JSONText`): what comes after can only fail where a value is of
/// another kind than the one asked for, and then the reader stays before it. Text nests at most 64 deep, a value
/// taken as a whole (`readValue`) at most `valueDepthMax`. Linear in time.
///
/// ```
/// var reader = try JSONReader(text)
/// try reader.beginObject()
/// while let key = reader.nextKey() { print(key, try reader.readValue()) }
/// ```
package struct JSONReader: ~Copyable {
    package enum Kind: Sendable {
        case object, array, string, number, bool, null
    }

    /// How deep the whole text nests at most.
    package static let depthMax = 64

    private let text: [UInt8]
    private let valueDepthMax: Int
    /// Where in the text the next token begins.
    package private(set) var offset = 0
    /// For each container that is open: whether something was read from it.
    private var hasReadFrom: [Bool] = []

    /// Throws if the text is not one valid value: nothing was read then.
    package init(_ text: [UInt8], valueDepthMax: Int = 32) throws(JSONError) {
        self.text = text
        self.valueDepthMax = valueDepthMax
        try text.withUnsafeBufferPointer { bytes throws(JSONError) in
            try JSONText.validate(UnsafeRawBufferPointer(bytes), depthMax: Self.depthMax, allowsWhiteSpace: true)
        }
        skipSpace()
    }

    /// The kind of the value that comes next; only where one does.
    package var kind: Kind {
        switch text[offset] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    // MARK: Containers

    /// Enters an object; then call `nextKey` until it returns `nil`, and read each value in between.
    package mutating func beginObject() throws(JSONError) {
        try expect(.object, orThrow: .notObject)
        enter()
    }

    /// The next key, decoded, and the reader is at its value; or `nil`, and it is behind the object.
    package mutating func nextKey() -> [UInt8]? {
        guard hasNext() else { return nil }
        let key = takeString()
        skipSpace()
        offset += 1  // The colon.
        skipSpace()
        return key
    }

    /// Enters an array; then call `hasNext` until it returns false, and read each value in between.
    package mutating func beginArray() throws(JSONError) {
        try expect(.array, orThrow: .notArray)
        enter()
    }

    /// Whether the innermost container holds more; if not, the reader is behind it.
    package mutating func hasNext() -> Bool {
        if text[offset] == UInt8(ascii: "}") || text[offset] == UInt8(ascii: "]") {
            hasReadFrom.removeLast()
            offset += 1
            skipSpace()
            return false
        }
        if hasReadFrom[hasReadFrom.count - 1] {
            offset += 1  // The comma.
            skipSpace()
        }
        hasReadFrom[hasReadFrom.count - 1] = true
        return true
    }

    // MARK: Values

    /// A string, decoded.
    package mutating func readString() throws(JSONError) -> [UInt8] {
        try expect(.string, orThrow: .notString)
        let string = takeString()
        skipSpace()
        return string
    }

    /// A whole number, spelled as digits alone.
    package mutating func readUnsigned() throws(JSONError) -> UInt64 {
        let end = tokenEnd()
        let digits = text[offset..<end]
        guard kind == .number, digits.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            let number = UInt64(String(decoding: digits, as: UTF8.self))
        else { throw JSONError(offset: offset, reason: .notUnsigned) }
        offset = end
        skipSpace()
        return number
    }

    package mutating func readBool() throws(JSONError) -> Bool {
        try expect(.bool, orThrow: .notBool)
        let isTrue = text[offset] == UInt8(ascii: "t")
        offset = tokenEnd()
        skipSpace()
        return isTrue
    }

    package mutating func readNull() throws(JSONError) {
        try expect(.null, orThrow: .notNull)
        offset = tokenEnd()
        skipSpace()
    }

    /// Any value: of a string its decoded bytes, of another its own text less the white space outside strings.
    package mutating func readValue() throws(JSONError) -> [UInt8] {
        guard kind != .string else { return try readString() }
        let start = offset
        let end = try valueEnd()
        var value: [UInt8] = []
        value.reserveCapacity(end - start)
        var position = start
        while position < end {
            let tokenStart = position
            position = text[position] == UInt8(ascii: "\"") ? stringEnd(from: position) : position + 1
            if !JSONScanner.isSpace(text[tokenStart]) { value.append(contentsOf: text[tokenStart..<position]) }
        }
        offset = end
        skipSpace()
        return value
    }

    /// Passes a value of any kind.
    package mutating func skipValue() throws(JSONError) { _ = try readValue() }

    // MARK: Tokens; the text is known to be valid

    private func expect(_ kind: Kind, orThrow reason: JSONError.Reason) throws(JSONError) {
        guard self.kind == kind else { throw JSONError(offset: offset, reason: reason) }
    }

    private mutating func enter() {
        hasReadFrom.append(false)
        offset += 1
        skipSpace()
    }

    private mutating func skipSpace() {
        while offset < text.count && JSONScanner.isSpace(text[offset]) { offset += 1 }
    }

    /// Where the word or number here ends.
    private func tokenEnd() -> Int {
        var end = offset
        while end < text.count {
            switch text[end] {
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): return end
            case let byte where JSONScanner.isSpace(byte): return end
            default: end += 1
            }
        }
        return end
    }

    private mutating func takeString() -> [UInt8] {
        let content = offset + 1..<stringEnd(from: offset) - 1
        offset = content.upperBound + 1
        return text.withUnsafeBytes { bytes in
            let content = UnsafeRawBufferPointer(rebasing: bytes[content])
            return [UInt8](unsafeUninitializedCapacity: content.count) { target, count in
                count =
                    content.isEmpty ? 0 : JSONString.decode(content, to: UnsafeMutableRawPointer(target.baseAddress!))
            }
        }
    }

    /// Where the string that begins here ends, behind its quote.
    private func stringEnd(from start: Int) -> Int {
        text.withUnsafeBytes { bytes in
            var end = JSONString.plainEnd(in: bytes, from: start + 1)
            while bytes[end] == UInt8(ascii: "\\") { end = JSONString.plainEnd(in: bytes, from: end + 2) }
            return end + 1
        }
    }

    /// Where the value here ends, if it nests no deeper than it may.
    private func valueEnd() throws(JSONError) -> Int {
        var depth = 0
        var end = offset
        repeat {
            switch text[end] {
            case UInt8(ascii: "\""): end = stringEnd(from: end) - 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= valueDepthMax else {
                    throw JSONError(offset: end, reason: .tooDeep(depthMax: valueDepthMax))
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: if depth == 0 { return tokenEnd() }
            }
            end += 1
        } while depth > 0
        return end
    }
}
