package import StrictJSON

/// The parts of a PREPARE whose size is the caller's: made on the caller's thread, before any lock is held.
extension RecordEncoder {
    /// `data` on its own: an object of the changes.
    ///
    /// The changes rise strictly by key, keys and values are within `RecordLimits`: preconditions.
    /// Throws `.lineTooLong`, and leaves the buffer as it was, if they take more than `fragmentBytesMax`.
    package static func appendData(
        _ changes: borrowing ChangeBytes, to buffer: inout ByteBuffer
    ) throws(RecordError) {
        let start = buffer.count
        var scanner = RecordText.valueScanner()
        buffer.append(UInt8(ascii: "{"))
        for index in 0..<changes.count {
            let key = changes.key(index)
            if index > 0 {
                precondition(changes.key(index - 1).precedes(key), "the changes do not rise")
                buffer.append(UInt8(ascii: ","))
            }
            appendKey(key, to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            appendValue(changes.value(index), to: &buffer, &scanner)
            try requireFits(from: start, &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
        try requireFits(from: start, &buffer)
    }

    /// `reads` on its own: a list of the items, which are canonical (see `ReadItem`) and not none: preconditions.
    /// Throws `.lineTooLong`, and leaves the buffer as it was, if they take more than `fragmentBytesMax`.
    package static func appendReads(_ reads: [ReadItem], to buffer: inout ByteBuffer) throws(RecordError) {
        precondition(!reads.isEmpty, "no reads are not written at all")
        let start = buffer.count
        for index in reads.indices {
            precondition(!reads[index].isEmptyRange, "a range that was read is empty")
            precondition(index == 0 || reads[index].mayFollow(reads[index - 1]), "the reads are not canonical")
            buffer.append(index == 0 ? "[" : ",")
            append(reads[index], to: &buffer)
            try requireFits(from: start, &buffer)
        }
        buffer.append(UInt8(ascii: "]"))
        try requireFits(from: start, &buffer)
    }

    // MARK: One item

    private static func appendValue(
        _ value: UnsafeRawBufferPointer?, to buffer: inout ByteBuffer, _ scanner: inout JSONScanner
    ) {
        guard let value else { return buffer.append("null") }
        precondition(value.count <= RecordLimits.valueBytesMax, "a value is too long")
        RecordText.appendValue(value, to: &buffer, &scanner)
    }

    private static func append(_ item: ReadItem, to buffer: inout ByteBuffer) {
        switch item {
        case .key(let key): appendKey(key, to: &buffer)
        case .range(let from, let to):
            buffer.append("[")
            if from.isEmpty { buffer.append("\"\"") } else { appendKey(from, to: &buffer) }
            buffer.append(",")
            if let to { appendKey(to, to: &buffer) } else { buffer.append("null") }
            buffer.append("]")
        }
    }

    private static func appendKey(_ key: [UInt8], to buffer: inout ByteBuffer) {
        key.withUnsafeBytes { appendKey($0, to: &buffer) }
    }

    private static func appendKey(_ key: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        precondition((1...RecordLimits.keyBytesMax).contains(key.count), "a key is empty or too long")
        RecordText.appendKey(key, to: &buffer)
    }

    private static func requireFits(from start: Int, _ buffer: inout ByteBuffer) throws(RecordError) {
        guard buffer.count - start > RecordLimits.fragmentBytesMax else { return }
        buffer.truncate(to: start)
        throw RecordError(offset: 0, reason: .lineTooLong)
    }
}
