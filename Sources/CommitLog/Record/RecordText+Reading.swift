package import StrictJSON

/// Keys and values from any valid JSON, for input that people and other programs write. What was written in the
/// canonical form comes back exactly; so does what says the same with other escapes or white space.
extension RecordText {
    /// The key that a decoded JSON string names: behind a `$` stands base64. `nil` if what stands there is none.
    package static func key(_ string: [UInt8]) -> [UInt8]? {
        guard string.first == UInt8(ascii: "$") else { return string }
        return base64(string.dropFirst())
    }

    /// The value that comes next, or `nil` for `null`.
    package static func readValue(_ reader: inout JSONReader) throws(JSONError) -> [UInt8]? {
        switch reader.kind {
        case .null:
            try reader.readNull()
            return nil
        case .object:
            let offset = reader.offset
            return try plainValue(try reader.readValue(), at: offset)
        default: return try reader.readValue()
        }
    }

    /// The bytes of an object: its own text, but for one whose only key is `$base64`.
    private static func plainValue(_ object: [UInt8], at offset: Int) throws(JSONError) -> [UInt8] {
        // Most objects show by the first character of their first key that they are no such thing.
        guard object[1] != UInt8(ascii: "}"), object[2] == UInt8(ascii: "$") || object[2] == UInt8(ascii: "\\") else {
            return object
        }
        var inner = try JSONReader(object)
        try inner.beginObject()
        guard inner.nextKey() == Array("$base64".utf8) else { return object }
        let isString = inner.kind == .string
        let text = try inner.readValue()
        guard !inner.hasNext() else { return object }
        guard isString, let bytes = base64(text[...]) else { throw JSONError(offset: offset, reason: .notBase64) }
        return bytes
    }

    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        text.withUnsafeBytes { text in
            var decoded: Int?
            let bytes = [UInt8](unsafeUninitializedCapacity: max(1, Base64.decodedCountMax(text))) { target, count in
                decoded = Base64.decode(text, to: UnsafeMutableRawPointer(target.baseAddress.unsafelyUnwrapped))
                count = decoded ?? 0
            }
            return decoded == nil ? nil : bytes
        }
    }
}
