import CommitLog
import Hashing
import StrictJSON

/// A record as a plain value, with the line that says it: what is encoded and parsed in these tests.
struct RecordSample: Equatable {
    var op: Op
    var n: UInt64 = 1
    var txID: [UInt8] = bytes("t-1")
    var timestamp: UInt64 = 1_763_690_000_123_456
    var isVoted = false
    var isResolved = false
    var seq: UInt64 = 0
    var reason: [UInt8] = []
    var changes: [Change] = []
    var reads: [ReadItem] = []
    var flushEnd: FlushEnd?

    /// An unvoted PREPARE of the changes.
    init(changes: [Change]) {
        op = .prepare
        self.changes = changes
    }

    init(op: Op) { self.op = op }

    /// The line without its newline.
    var line: [UInt8] {
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
            try RecordEncoder.appendData(changes, to: &data)
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
    init(line: [UInt8]) throws(RecordError) {
        var parser = RecordParser()
        let flush = ParsedFlush()
        self = try line.withUnsafeBufferPointer { line throws(RecordError) in
            try parser.parse(UnsafeRawBufferPointer(line), into: flush)
            return RecordSample(flush.records[0], in: flush)
        }
    }

    init(_ record: ParsedRecord, in flush: ParsedFlush) {
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

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Why a line is refused; `nil` if it is accepted.
func refusal(_ line: [UInt8]) -> RecordError? {
    do throws(RecordError) {
        _ = try RecordSample(line: line)
        return nil
    } catch {
        return error
    }
}

extension FlushEnd {
    static let sample = FlushEnd(
        root: Digest(hex: String(repeating: "0123456789abcdef", count: 4))!, synced: 410,
        chain: Digest(hex: String(repeating: "fedcba9876543210", count: 4))!, crc: 0x0102_ABCD)

    static let sampleText =
        #","root":"\#(String(repeating: "0123456789abcdef", count: 4))","synced":410,"#
        + #""chain":"\#(String(repeating: "fedcba9876543210", count: 4))","crc":"0102abcd""#
}
