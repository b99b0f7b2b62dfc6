import CommitLog
import StrictJSON

/// A transaction in doubt: what its PREPARE says.
struct Voted {
    let id: [UInt8]
    let n: UInt64
    let timestamp: UInt64
    let changes: [Change]
    let reads: [ReadItem]

    /// The PREPARE record, without the end of a flush.
    var record: String {
        var buffer = ByteBuffer(capacity: 256)
        var data = ByteBuffer(capacity: 256)
        var items = ByteBuffer()
        // What was encoded once fits again.
        try! RecordEncoder.appendData(changeBytes, to: &data)
        if !reads.isEmpty { try! RecordEncoder.appendReads(reads, to: &items) }
        RecordEncoder.appendPrepare(
            n: n, txID: id, timestamp: timestamp, isVoted: true, data: data.bytes, reads: items.bytes, to: &buffer)
        RecordEncoder.endRecord(to: &buffer)
        return String(decoding: buffer.bytes.dropLast(), as: UTF8.self)
    }

    /// Reads what `record` gives; `nil` for anything else.
    init?(record: String) {
        let flush = ParsedFlush()
        let bytes = Array(record.utf8)
        let voted: Voted? = bytes.withUnsafeBytes { bytes in
            var parser = RecordParser()
            guard (try? parser.parse(bytes, into: flush)) != nil, let record = flush.records.first, record.isVoted
            else { return nil }
            return Voted(
                id: Array(record.txID), n: record.n, timestamp: record.timestamp,
                changes: flush.changes[record.changes].map(\.copy), reads: flush.reads[record.reads].map(\.copy))
        }
        guard let voted else { return nil }
        self = voted
    }

    init(id: [UInt8], n: UInt64, timestamp: UInt64, changes: [Change], reads: [ReadItem]) {
        self.id = id
        self.n = n
        self.timestamp = timestamp
        self.changes = changes
        self.reads = reads
    }

    var changeBytes: ChangeBytes { ChangeBytes(changes) }

    var description: InDoubtTransaction {
        InDoubtTransaction(
            id: String(decoding: id, as: UTF8.self), timestamp: timestamp, keys: changes.map(\.key),
            readCount: reads.count)
    }
}
