/// A whole text as one JSON value (RFC 8259), strictly: UTF-8, no byte-order mark, no duplicate keys in any object,
/// no escaped surrogate without its other half, nothing behind the value.
package enum JSONText {
    /// Linear in time. Objects and arrays nest at most `depthMax` deep (1 to 64): `[]` is 1 deep, a number 0.
    package static func validate(
        _ text: UnsafeRawBufferPointer, depthMax: Int = 32, allowsWhiteSpace: Bool = false
    ) throws(JSONError) {
        var scanner = JSONScanner(depthMax: depthMax, allowsWhiteSpace: allowsWhiteSpace)
        try scanner.validate(text)
    }
}
