import StrictJSON

/// Reads one line, in its canonical form and no other.
///
/// ```
/// record  = "{" ( prepare / commit / abort ) [ end ] "}"
/// prepare = '"op":"PREPARE",' tx [ ',"voted":true' ] ',"data":' data [ ',"reads":' reads ]
/// commit  = '"op":"COMMIT",' tx [ ',"resolved":true' ] ',"seq":' integer
/// abort   = '"op":"ABORT",' tx [ ',"resolved":true' ] ',"reason":' string
/// tx      = '"n":' integer ',"tx_id":' string ',"timestamp":' timestamp
/// end     = ',"root":"' digest '","synced":' integer ',"chain":"' digest '","crc":"' crc '"'
/// ```
/// Tokens: `LineCursor`. `data` and `reads`: `RecordParser+Data`, `+Reads`. Sizes: `RecordLimits`.
///
/// Guarantees: what is accepted is what `RecordEncoder` writes for what was parsed, byte for byte; linear in time;
/// no trap and no read outside the line, whatever the bytes are. Whether `n`, `seq`, `synced`, chain and crc fit
/// what came before is for the reader of the log.
package struct RecordParser: ~Copyable {
    var scanner = RecordText.valueScanner()

    package init() {}

    /// Parses a record's line (without its newline) and appends what it says to `flush`.
    /// An error leaves `flush` as it was. The line must stay where it is until `flush.removeAll()`.
    package mutating func parse(_ line: UnsafeRawBufferPointer, into flush: ParsedFlush) throws(RecordError) {
        try parse(line, into: &flush.storage)
    }

    /// Whether the line begins as a SEGMENT line does.
    package static func isSegmentHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        var cursor = LineCursor(line)
        return cursor.passes("{\"op\":\"SEGMENT\",")
    }

    /// The end of a flush's last line or of a SEGMENT line; `nil` for any other. Looks at the last 93 bytes alone.
    package static func flushEndSuffix(of line: UnsafeRawBufferPointer) -> FlushEndSuffix? {
        FlushEndSuffix(of: line)
    }

    /// At the start of a line that is not too long and is UTF-8.
    static func cursor(for line: UnsafeRawBufferPointer) throws(RecordError) -> LineCursor {
        guard line.count <= RecordLimits.lineBytesMax else {
            throw RecordError(offset: RecordLimits.lineBytesMax, reason: .lineTooLong)
        }
        if line.count >= 3 && line[0] == 0xEF && line[1] == 0xBB && line[2] == 0xBF {
            throw RecordError(offset: 0, reason: .byteOrderMark)
        }
        if let offset = UTF8Text.firstInvalidOffset(in: line) { throw RecordError(offset: offset, reason: .notUTF8) }
        return LineCursor(line)
    }

    // MARK: Records

    private mutating func parse(
        _ line: UnsafeRawBufferPointer, into flush: inout ParsedFlush.Storage
    ) throws(RecordError) {
        let changesCount = flush.changes.count
        let readsCount = flush.reads.count
        do throws(RecordError) {
            var cursor = try Self.cursor(for: line)
            var record = try transaction(&cursor, &flush)
            switch record.op {
            case .prepare: try prepare(&cursor, &record, &flush)
            case .commit: try commit(&cursor, &record)
            case .abort: try abort(&cursor, &record, &flush)
            }
            try end(&cursor, &record)
            flush.records.append(record)
        } catch {
            flush.truncate(changesCount: changesCount, readsCount: readsCount)
            throw error
        }
    }

    /// From the start of the line to behind the timestamp.
    private func transaction(_ cursor: inout LineCursor, _ flush: inout ParsedFlush.Storage) throws(RecordError)
        -> ParsedRecord
    {
        try cursor.pass("{\"op\":\"")
        let op: Op
        if cursor.passes("PREPARE\",\"n\":") {
            op = .prepare
        } else if cursor.passes("COMMIT\",\"n\":") {
            op = .commit
        } else if cursor.passes("ABORT\",\"n\":") {
            op = .abort
        } else {
            throw cursor.error(.unknownOp)
        }
        let n = try cursor.integer()
        try cursor.pass(",\"tx_id\":")
        let txIDOffset = cursor.offset
        let txID = try cursor.string(&flush.scratch)
        guard RecordLimits.isTxID(utf8: txID) else { throw RecordError(offset: txIDOffset, reason: .malformedTxID) }
        try cursor.pass(",\"timestamp\":")
        return ParsedRecord(op: op, n: n, txID: txID, timestamp: try cursor.timestamp())
    }

    private mutating func prepare(
        _ cursor: inout LineCursor, _ record: inout ParsedRecord, _ flush: inout ParsedFlush.Storage
    ) throws(RecordError) {
        record.isVoted = cursor.passes(",\"voted\":true")
        try cursor.pass(",\"data\":")
        record.changes = try data(&cursor, mayBeEmpty: record.isVoted, &flush)
        if record.isVoted && cursor.passes(",\"reads\":") { record.reads = try reads(&cursor, &flush) }
    }

    private func commit(_ cursor: inout LineCursor, _ record: inout ParsedRecord) throws(RecordError) {
        record.isResolved = cursor.passes(",\"resolved\":true")
        try cursor.pass(",\"seq\":")
        record.seq = try cursor.integer()
    }

    private func abort(
        _ cursor: inout LineCursor, _ record: inout ParsedRecord, _ flush: inout ParsedFlush.Storage
    ) throws(RecordError) {
        record.isResolved = cursor.passes(",\"resolved\":true")
        try cursor.pass(",\"reason\":")
        let offset = cursor.offset
        record.reason = try cursor.string(&flush.scratch)
        guard record.reason.count <= RecordLimits.reasonBytesMax else {
            throw RecordError(offset: offset, reason: .reasonTooLong)
        }
    }

    private func end(_ cursor: inout LineCursor, _ record: inout ParsedRecord) throws(RecordError) {
        if cursor.passes(",\"root\":\"") {
            let root = try cursor.digest()
            try cursor.pass("\",\"synced\":")
            let synced = try cursor.integer()
            try cursor.pass(",\"chain\":\"")
            let chain = try cursor.digest()
            try cursor.pass("\",\"crc\":\"")
            record.flushEnd = FlushEnd(root: root, synced: synced, chain: chain, crc: try cursor.crc())
            try cursor.pass("\"}")
        } else {
            try cursor.pass(UInt8(ascii: "}"))
        }
        try cursor.requireEnd()
    }
}
