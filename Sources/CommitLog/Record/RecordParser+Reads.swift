import StrictJSON

/// ```
/// reads = "[" item *( "," item ) "]"
/// item  = key / "[" ( key / '""' ) "," ( key / "null" ) "]"
/// ```
/// In canonical order: see `ReadItem`.
extension RecordParser {
    func reads(_ cursor: inout LineCursor, _ flush: inout ParsedFlush.Storage) throws(RecordError) -> Range<Int> {
        let start = flush.reads.count
        try cursor.pass(UInt8(ascii: "["))
        repeat {
            let offset = cursor.offset
            let item = try readItem(&cursor, &flush.scratch)
            guard !item.isEmptyRange else { throw RecordError(offset: offset, reason: .emptyRange) }
            guard flush.reads.count == start || item.mayFollow(flush.reads[flush.reads.count - 1]) else {
                throw RecordError(offset: offset, reason: .readOrder)
            }
            flush.reads.append(item)
        } while cursor.passes(UInt8(ascii: ","))
        try cursor.pass(UInt8(ascii: "]"))
        return start..<flush.reads.count
    }

    private func readItem(
        _ cursor: inout LineCursor, _ scratch: inout ScratchMemory
    ) throws(RecordError) -> ParsedRead {
        guard cursor.passes(UInt8(ascii: "[")) else { return .key(try key(&cursor, &scratch)) }
        let noBytes = UnsafeRawBufferPointer(start: nil, count: 0)
        let from = cursor.passes("\"\"") ? noBytes : try key(&cursor, &scratch)
        try cursor.pass(UInt8(ascii: ","))
        let to = cursor.passes("null") ? nil : try key(&cursor, &scratch)
        try cursor.pass(UInt8(ascii: "]"))
        return .range(from: from, to: to)
    }
}
