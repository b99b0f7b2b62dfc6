/// Why bytes are not the JSON that was asked for.
package struct JSONError: Error, Hashable, Sendable {
    /// Where, in bytes from the start of the text.
    package var offset: Int
    package var reason: Reason

    package init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    package enum Reason: Hashable, Sendable {
        // The text is no JSON.
        case byteOrderMark, notUTF8, endsEarly, expectedValue, expectedKey, expectedColon, expectedCommaOrEnd
        case controlCharacter, unknownEscape, loneSurrogate, malformedNumber, trailingBytes
        // It is JSON, but not of the strict kind.
        case whiteSpace, duplicateKey
        case tooDeep(depthMax: Int)
        // It is strict JSON, but of another shape than the reader was asked for.
        case notObject, notArray, notString, notUnsigned, notBool, notNull, notBase64
    }
}

extension JSONError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .byteOrderMark: "the text begins with a byte-order mark"
        case .notUTF8: "the text is not UTF-8"
        case .endsEarly: "the text ends too early"
        case .expectedValue: "a value is missing"
        case .expectedKey: "a key is missing"
        case .expectedColon: "a colon is missing"
        case .expectedCommaOrEnd: "a comma or a closing bracket is missing"
        case .controlCharacter: "a string holds a control character that is not escaped"
        case .unknownEscape: "a string holds an unknown escape"
        case .loneSurrogate: "a string holds half of a surrogate pair"
        case .malformedNumber: "a number is malformed"
        case .trailingBytes: "there is something behind the value"
        case .whiteSpace: "there is white space outside a string"
        case .duplicateKey: "an object has a key twice"
        case .tooDeep(let depthMax): "the value is nested deeper than \(depthMax)"
        case .notObject: "this is not an object"
        case .notArray: "this is not an array"
        case .notString: "this is not a string"
        case .notUnsigned: "this is not a whole number from 0 to 18446744073709551615"
        case .notBool: "this is neither true nor false"
        case .notNull: "this is not null"
        case .notBase64: "this is not base64, padded and without line breaks"
        }
    }
}

extension JSONError: CustomStringConvertible {
    package var description: String { "\(reason), at byte \(offset)" }
}
