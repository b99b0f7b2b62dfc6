import CommitLog

/// A transaction in doubt: what its PREPARE says.
struct Voted {
    let id: [UInt8]
    let n: UInt64
    let timestamp: UInt64
    let changes: [Change]
    let reads: [ReadItem]

    var description: InDoubtTransaction {
        InDoubtTransaction(
            id: String(decoding: id, as: UTF8.self), timestamp: timestamp, keys: changes.map(\.key),
            readCount: reads.count)
    }
}
