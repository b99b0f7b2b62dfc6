import CommitLog
import Rootfast
import StrictJSON

/// The changes of a transaction as people and programs spell them: `{KEY:VALUE,…}`, keys and values as in the log, in any
/// order and any valid spelling of JSON; `null` deletes.
enum ChangesText {
    /// It is JSON, but no changes.
    struct Refusal: Error {
        var message: String
        /// In bytes from the start of the text.
        var offset: Int?
    }

    /// Reads the object that comes next.
    ///
    /// - Throws: `Refusal`, `JSONError`.
    static func read(_ reader: inout JSONReader) throws -> [Change] {
        var changes: [Change] = []
        var hasBase64Key = false
        try reader.beginObject()
        while true {
            let offset = reader.offset
            guard let spelled = reader.nextKey() else { break }
            hasBase64Key = hasBase64Key || spelled.first == UInt8(ascii: "$")
            changes.append(Change(key: try key(spelled, at: offset), value: try readValue(&reader)))
        }
        // The same key twice in one spelling is no JSON here; in two spellings it is to be found.
        if hasBase64Key, Set(changes.map(\.key)).count < changes.count {
            throw Refusal(message: "A key stands twice, in two spellings")
        }
        return changes
    }

    /// Reads the key that comes next as a string.
    static func readKey(_ reader: inout JSONReader) throws -> [UInt8] {
        let offset = reader.offset
        return try key(try reader.readString(), at: offset)
    }

    /// Reads the value that comes next; `nil` for `null`.
    static func readValue(_ reader: inout JSONReader) throws -> [UInt8]? {
        let offset = reader.offset
        let value = try RecordText.readValue(&reader)
        guard value.map({ $0.count <= RecordLimits.valueBytesMax }) ?? true else {
            throw Refusal(message: "A value is longer than \(RecordLimits.valueBytesMax) bytes", offset: offset)
        }
        return value
    }

    /// Reads a bound of a range: a key of any length.
    static func readBound(_ reader: inout JSONReader) throws -> [UInt8] {
        let offset = reader.offset
        return try bytes(try reader.readString(), at: offset)
    }

    private static func key(_ spelled: [UInt8], at offset: Int) throws -> [UInt8] {
        let key = try bytes(spelled, at: offset)
        guard (1...RecordLimits.keyBytesMax).contains(key.count) else {
            throw Refusal(
                message: "A key has 1 to \(RecordLimits.keyBytesMax) bytes, and one of its keys \(key.count)",
                offset: offset)
        }
        return key
    }

    private static func bytes(_ spelled: [UInt8], at offset: Int) throws -> [UInt8] {
        guard let bytes = RecordText.key(spelled) else {
            throw Refusal(message: "Behind the $ of a key does not stand base64, padded", offset: offset)
        }
        return bytes
    }
}

extension [Change] {
    func write(to transaction: Transaction) throws(StoreError) {
        for change in self {
            if let value = change.value {
                try transaction.put(change.key, value)
            } else {
                try transaction.delete(change.key)
            }
        }
    }
}
