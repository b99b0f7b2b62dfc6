package import StrictJSON

/// Why a line is not a record, or not its own canonical form.
package struct RecordError: Error, Hashable, Sendable {
    /// Where in the line, in bytes from its start.
    package var offset: Int
    package var reason: Reason

    package init(offset: Int, reason: Reason) {
        self.offset = offset
        self.reason = reason
    }

    package enum Reason: Hashable, Sendable {
        // The line as a whole.
        case lineTooLong, byteOrderMark, notUTF8, trailingBytes
        case unknownOp
        case unknownFormat(UInt64)
        // A token.
        case expected(String)
        case malformedInteger, integerTooLarge, malformedTimestamp, malformedDigest, malformedCRC, malformedStoreID
        case unterminatedString, controlCharacter, otherEscape
        // The fields of a transaction.
        case malformedTxID, reasonTooLong
        // `data`
        case emptyData, keySize, keyOrder, otherKeySpelling, valueTooLong, otherValueSpelling
        /// A value that stands as it is, but is no strict JSON.
        case malformedValue(JSONError.Reason)
        // `reads`
        case readOrder, emptyRange
    }
}

extension RecordError.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .lineTooLong: "the record is longer than \(RecordLimits.lineBytesMax) bytes"
        case .byteOrderMark: "the line begins with a byte-order mark"
        case .notUTF8: "the line is not UTF-8"
        case .trailingBytes: "there is something behind the record"
        case .unknownOp: "the op is none of PREPARE, COMMIT and ABORT"
        case .unknownFormat(let format): "the format is \(format), and only \(SegmentHeader.formatKnown) is known"
        case .expected(let text): "expected \(text)"
        case .malformedInteger: "expected a whole number in plain digits"
        case .integerTooLarge: "a whole number is 2^63 or larger"
        case .malformedTimestamp: "expected seconds with exactly six decimals, less than 2^53 microseconds"
        case .malformedDigest: "expected 64 lower-case hexadecimal digits"
        case .malformedCRC: "expected 8 lower-case hexadecimal digits"
        case .malformedStoreID: "expected a uuid in lower case"
        case .unterminatedString: "a string has no end"
        case .controlCharacter: "a string holds a control character that is not escaped"
        case .otherEscape: "a string holds an escape that the canonical form does not have"
        case .malformedTxID: "a tx_id has 1 to \(RecordLimits.txIDBytesMax) bytes and no control characters"
        case .reasonTooLong: "the reason is longer than \(RecordLimits.reasonBytesMax) bytes"
        case .emptyData: "the transaction changes nothing and is not voted"
        case .keySize: "a key has 1 to \(RecordLimits.keyBytesMax) bytes"
        case .keyOrder: "the keys do not rise"
        case .otherKeySpelling: "a key is not spelled in its canonical form"
        case .valueTooLong: "a value is longer than \(RecordLimits.valueBytesMax) bytes"
        case .otherValueSpelling: "a value is not spelled in its canonical form"
        case .malformedValue(let reason): "a value is malformed: \(reason)"
        case .readOrder: "the reads do not rise, or are not joined"
        case .emptyRange: "a range that was read is empty"
        }
    }
}

extension RecordError: CustomStringConvertible {
    package var description: String { "\(reason), at byte \(offset) of the line" }
}
