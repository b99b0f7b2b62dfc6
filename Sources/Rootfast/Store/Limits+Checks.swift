import CommitLog
import StateTree

extension Limits {
    static func check(key: some Collection<UInt8>) throws(StoreError) {
        guard (1...keyBytesMax).contains(key.count) else {
            throw StoreError(
                .invalidArgument, "A key has 1 to \(keyBytesMax) bytes, and this one \(key.count)",
                advice: "Use a shorter key, such as a hash of it.")
        }
    }

    static func check(value: some Collection<UInt8>) throws(StoreError) {
        guard value.count <= valueBytesMax else {
            throw StoreError(
                .invalidArgument, "A value has at most \(valueBytesMax) bytes, and this one \(value.count)",
                advice: "Split it over several keys.")
        }
    }

    /// The bytes of a transaction id.
    static func check(id: String) throws(StoreError) -> [UInt8] {
        let bytes = Array(id.utf8)
        guard RecordLimits.isTxID(bytes), !AnonymousID.isReserved(bytes) else {
            throw StoreError(
                .invalidArgument,
                "A transaction id has 1 to \(RecordLimits.txIDBytesMax) bytes, no control characters, and does not begin with ~"
            )
        }
        return bytes
    }

    static func check(reason: String) throws(StoreError) {
        guard reason.utf8.count <= RecordLimits.reasonBytesMax else {
            throw StoreError(.invalidArgument, "A reason has at most \(RecordLimits.reasonBytesMax) bytes")
        }
    }
}
