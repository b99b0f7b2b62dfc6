package import StrictJSON

/// How keys and values are spelled. There is one spelling for each, and the bytes come back exactly.
///
/// ```
/// key    = JSON string                      of bytes that are UTF-8 and do not begin with "$"
///        / '"$' base64 '"'                  of all others
/// value  = the bytes themselves             if they are strict JSON (see `standsAsItIs`)
///        / JSON string                      of other bytes that are UTF-8
///        / '{"$base64":"' base64 '"}'       of all others
/// ```
package enum RecordText {
    static let base64Key: StaticString = "$base64"

    /// Appends a key as it is spelled.
    package static func appendKey(_ key: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        if key.first != UInt8(ascii: "$") && buffer.appendJSONString(key) { return }
        buffer.append("\"$")
        buffer.appendBase64(key)
        buffer.append(UInt8(ascii: "\""))
    }

    /// Appends a value as it is spelled. The scanner is `valueScanner()`, to use again from value to value.
    package static func appendValue(
        _ value: UnsafeRawBufferPointer, to buffer: inout ByteBuffer, _ scanner: inout JSONScanner
    ) {
        if mayStandAsItIs(value), UTF8Text.isValid(value), standsAsItIs(value, &scanner) {
            return buffer.append(value)
        }
        if buffer.appendJSONString(value) { return }
        buffer.append("{\"$base64\":\"")
        buffer.appendBase64(value)
        buffer.append("\"}")
    }

    package static func valueScanner() -> JSONScanner { JSONScanner(depthMax: RecordLimits.valueDepthMax) }

    /// Whether UTF-8 bytes stand as they are:
    /// (1) they are one JSON object, array, number, `true` or `false`, and nothing else;
    /// (2) they nest at most 32 deep; (3) no white space is outside strings; (4) no object has a key twice;
    /// (5) no escaped surrogate is alone; (6) they are no object whose only key is `$base64`.
    static func standsAsItIs(_ value: UnsafeRawBufferPointer, _ scanner: inout JSONScanner) -> Bool {
        guard mayStandAsItIs(value) else { return false }
        do throws(JSONError) {
            guard try scanner.scan(value) == value.count else { return false }
        } catch {
            return false
        }
        return !hasSoleBase64Key(scanner, value)
    }

    /// Whether the value scanned last is an object whose only key is `$base64`, however that is spelled.
    static func hasSoleBase64Key(_ scanner: borrowing JSONScanner, _ text: UnsafeRawBufferPointer) -> Bool {
        guard let key = scanner.soleKey(in: text) else { return false }
        return key.hasSameBytes(
            as: UnsafeRawBufferPointer(start: base64Key.utf8Start, count: base64Key.utf8CodeUnitCount))
    }

    /// What the first byte tells: most values are no JSON.
    @inline(__always)
    private static func mayStandAsItIs(_ value: UnsafeRawBufferPointer) -> Bool {
        guard let first = value.first else { return false }
        return switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "-"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
