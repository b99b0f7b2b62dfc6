package import CommitLog
import Hashing
import StrictJSON

/// A record as a plain value, with the line that says it: what tests and specs encode and parse.
package struct RecordSample: Equatable {
    package var op: Op
    package var n: UInt64 = 1
    package var txID: [UInt8] = Array("t-1".utf8)
    package var timestamp: UInt64 = 1_763_690_000_123_456
    package var isVoted = false
    package var isResolved = false
    package var seq: UInt64 = 0
    package var reason: [UInt8] = []
    package var changes: [Change] = []
    package var reads: [ReadItem] = []
    package var flushEnd: FlushEnd?

    /// An unvoted PREPARE of the changes.
    package init(changes: [Change]) {
        op = .prepare
        self.changes = changes
    }

    package init(op: Op) { self.op = op }

    /// The line without its newline.
    package var line: [UInt8] {
        get throws(RecordError) {
            var buffer = ByteBuffer()
            try append(to: &buffer)
            if let flushEnd {
                RecordEncoder.appendFlushEnd(root: flushEnd.root, synced: flushEnd.synced, to: &buffer)
                RecordEncoder.appendChain(flushEnd.chain, to: &buffer)
                RecordEncoder.appendCRC(flushEnd.crc, to: &buffer)
            } else {
                RecordEncoder.endRecord(to: &buffer)
            }
            return Array(buffer.bytes.dropLast())
        }
    }

    private func append(to buffer: inout ByteBuffer) throws(RecordError) {
        switch op {
        case .prepare:
            var data = ByteBuffer()
            try RecordEncoder.appendData(ChangeBytes(changes), to: &data)
            var reads = ByteBuffer()
            if !self.reads.isEmpty { try RecordEncoder.appendReads(self.reads, to: &reads) }
            RecordEncoder.appendPrepare(
                n: n, txID: txID, timestamp: timestamp, isVoted: isVoted, data: data.bytes, reads: reads.bytes,
                to: &buffer)
        case .commit:
            RecordEncoder.appendCommit(
                n: n, txID: txID, timestamp: timestamp, isResolved: isResolved, seq: seq, to: &buffer)
        case .abort:
            RecordEncoder.appendAbort(
                n: n, txID: txID, timestamp: timestamp, isResolved: isResolved, reason: reason, to: &buffer)
        }
    }

    /// What a line without its newline says.
    package init(line: [UInt8]) throws(RecordError) {
        var parser = RecordParser()
        let flush = ParsedFlush()
        self = try line.withUnsafeBufferPointer { line throws(RecordError) in
            try parser.parse(UnsafeRawBufferPointer(line), into: flush)
            return RecordSample(flush.records[0], in: flush)
        }
    }

    package init(_ record: ParsedRecord, in flush: ParsedFlush) {
        op = record.op
        n = record.n
        txID = Array(record.txID)
        timestamp = record.timestamp
        isVoted = record.isVoted
        isResolved = record.isResolved
        seq = record.seq
        reason = Array(record.reason)
        changes = flush.changes[record.changes].map(\.copy)
        reads = flush.reads[record.reads].map(\.copy)
        flushEnd = record.flushEnd
    }
}

extension FlushEnd {
    package static let sample = FlushEnd(
        root: Digest(hex: String(repeating: "0123456789abcdef", count: 4))!, synced: 410,
        chain: Digest(hex: String(repeating: "fedcba9876543210", count: 4))!, crc: 0x0102_ABCD)
}
