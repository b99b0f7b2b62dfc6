package import Hashing
package import StrictJSON

/// Writes records in their canonical form: see `RecordParser` for the grammar.
///
/// A flush is written so: one `append…` a record, `endRecord` after each but the last, and after the last
/// `appendFlushEnd`, `appendChain` (over the flush's bytes so far), `appendCRC` (over the flush's bytes so far).
package enum RecordEncoder {
    /// A PREPARE up to but excluding its end.
    ///
    /// `data` and `reads` are what `appendData` and `appendReads` made; `reads` has no bytes where there are none.
    /// Preconditions: together at most `fragmentBytesMax`; only a voted PREPARE has reads, or no changes.
    package static func appendPrepare(
        n: UInt64, txID: [UInt8], timestamp: UInt64, isVoted: Bool,
        data: UnsafeRawBufferPointer, reads: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        to buffer: inout ByteBuffer
    ) {
        precondition(data.count + reads.count <= RecordLimits.fragmentBytesMax, "data and reads are too long")
        precondition(isVoted || data.count > 2 && reads.isEmpty, "only a voted PREPARE has reads, or no changes")
        buffer.append("{\"op\":\"PREPARE\",\"n\":")
        appendTransaction(n: n, txID: txID, timestamp: timestamp, to: &buffer)
        buffer.append(isVoted ? ",\"voted\":true,\"data\":" : ",\"data\":")
        buffer.append(data)
        guard !reads.isEmpty else { return }
        buffer.append(",\"reads\":")
        buffer.append(reads)
    }

    /// A COMMIT up to but excluding its end.
    package static func appendCommit(
        n: UInt64, txID: [UInt8], timestamp: UInt64, isResolved: Bool = false, seq: UInt64, to buffer: inout ByteBuffer
    ) {
        buffer.append("{\"op\":\"COMMIT\",\"n\":")
        appendTransaction(n: n, txID: txID, timestamp: timestamp, to: &buffer)
        buffer.append(isResolved ? ",\"resolved\":true,\"seq\":" : ",\"seq\":")
        appendInteger(seq, to: &buffer)
    }

    /// An ABORT up to but excluding its end. `reason` is UTF-8 of at most 1,024 bytes: a precondition.
    package static func appendAbort(
        n: UInt64, txID: [UInt8], timestamp: UInt64, isResolved: Bool = false, reason: [UInt8],
        to buffer: inout ByteBuffer
    ) {
        precondition(reason.count <= RecordLimits.reasonBytesMax, "the reason is too long")
        buffer.append("{\"op\":\"ABORT\",\"n\":")
        appendTransaction(n: n, txID: txID, timestamp: timestamp, to: &buffer)
        buffer.append(isResolved ? ",\"resolved\":true,\"reason\":" : ",\"reason\":")
        appendText(reason, to: &buffer)
    }

    // MARK: Ends

    /// Closes a record that is not the last of its flush: `}` and a newline.
    package static func endRecord(to buffer: inout ByteBuffer) {
        buffer.append("}\n")
    }

    /// The root and `synced`, up to but excluding `,"chain"`.
    package static func appendFlushEnd(root: Digest, synced: UInt64, to buffer: inout ByteBuffer) {
        buffer.append(",\"root\":\"")
        root.withUnsafeBytes { buffer.appendHex($0) }
        buffer.append("\",\"synced\":")
        appendInteger(synced, to: &buffer)
    }

    /// `,"chain":"…"`, up to but excluding `,"crc"`.
    package static func appendChain(_ chain: Digest, to buffer: inout ByteBuffer) {
        buffer.append(",\"chain\":\"")
        chain.withUnsafeBytes { buffer.appendHex($0) }
        buffer.append("\"")
    }

    /// `,"crc":"…"}` and the newline: closes the flush's last line, and a SEGMENT line.
    package static func appendCRC(_ crc: UInt32, to buffer: inout ByteBuffer) {
        buffer.append(",\"crc\":\"")
        buffer.appendHex(crc)
        buffer.append("\"}\n")
    }

    // MARK: Segments

    /// A SEGMENT line up to but excluding `,"crc"`; `appendCRC` closes it.
    package static func appendSegmentHeader(_ header: SegmentHeader, to buffer: inout ByteBuffer) {
        buffer.append("{\"op\":\"SEGMENT\",\"format\":")
        buffer.appendDecimal(SegmentHeader.formatKnown)
        buffer.append(",\"store\":\"")
        buffer.append(Array(header.store.description.utf8))
        buffer.append("\",\"segment\":")
        appendInteger(header.segment, to: &buffer)
        buffer.append(",\"timestamp\":")
        appendTimestamp(header.timestamp, to: &buffer)
        buffer.append(",\"n\":")
        appendInteger(header.n, to: &buffer)
        buffer.append(",\"seq\":")
        appendInteger(header.seq, to: &buffer)
        buffer.append(",\"root\":\"")
        header.root.withUnsafeBytes { buffer.appendHex($0) }
        buffer.append("\"")
        appendChain(header.chain, to: &buffer)
    }

    // MARK: Fields

    private static func appendTransaction(
        n: UInt64, txID: [UInt8], timestamp: UInt64, to buffer: inout ByteBuffer
    ) {
        // That it is UTF-8 is seen as it is written.
        precondition(txID.withUnsafeBytes { RecordLimits.isTxID(utf8: $0) }, "not a tx_id")
        appendInteger(n, to: &buffer)
        buffer.append(",\"tx_id\":")
        appendText(txID, to: &buffer)
        buffer.append(",\"timestamp\":")
        appendTimestamp(timestamp, to: &buffer)
    }

    private static func appendInteger(_ number: UInt64, to buffer: inout ByteBuffer) {
        precondition(number < RecordLimits.integerEnd, "a number is 2^63 or larger")
        buffer.appendDecimal(number)
    }

    private static func appendTimestamp(_ microseconds: UInt64, to buffer: inout ByteBuffer) {
        precondition(microseconds < RecordLimits.timestampEnd, "a timestamp is 2^53 microseconds or later")
        buffer.appendDecimal(microseconds / 1_000_000)
        buffer.append(UInt8(ascii: "."))
        buffer.appendDecimal(microseconds % 1_000_000, digits: 6)
    }

    private static func appendText(_ text: [UInt8], to buffer: inout ByteBuffer) {
        let isUTF8 = text.withUnsafeBytes { buffer.appendJSONString($0) }
        precondition(isUTF8, "a tx_id or reason is not UTF-8")
    }
}
