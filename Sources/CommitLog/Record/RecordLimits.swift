import StrictJSON

/// The sizes that bound a record, in bytes as they are before encoding unless it says otherwise.
package enum RecordLimits {
    /// A key has 1 to this many bytes; so has an end of a range that was read, where it is not left out.
    package static let keyBytesMax = 1_024
    package static let valueBytesMax = 16 << 20
    /// A tx_id has 1 to this many bytes.
    package static let txIDBytesMax = 256
    package static let reasonBytesMax = 1_024
    /// A line as encoded, without its newline.
    package static let lineBytesMax = 64 << 20
    /// `data` and `reads` of one PREPARE together, as encoded: then the line fits, flush end and all.
    package static let fragmentBytesMax = lineBytesMax - 1_024
    /// How deep a value may nest that stands as it is: `[]` is 1 deep, a number 0.
    package static let valueDepthMax = 32
    /// Timestamps are less than this many microseconds.
    package static let timestampEnd: UInt64 = 1 << 53
    /// `n`, `seq`, `synced` and `segment` are less than this.
    package static let integerEnd: UInt64 = 1 << 63

    /// Whether the bytes can be a tx_id: UTF-8, 1 to 256 bytes, no control characters
    /// (Unicode's category Cc: U+0000–001F and U+007F–009F).
    package static func isTxID(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { UTF8Text.isValid($0) && isTxID(utf8: $0) }
    }

    static func isTxID(utf8 bytes: UnsafeRawBufferPointer) -> Bool {
        guard (1...txIDBytesMax).contains(bytes.count) else { return false }
        var previous: UInt8 = 0
        for byte in bytes {
            if byte < 0x20 || byte == 0x7F || previous == 0xC2 && byte < 0xA0 { return false }
            previous = byte
        }
        return true
    }
}
