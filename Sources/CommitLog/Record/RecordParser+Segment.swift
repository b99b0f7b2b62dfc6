import Hashing
import StrictJSON

/// ```
/// segment = '{"op":"SEGMENT","format":1,"store":"' uuid '","segment":' integer ',"timestamp":' timestamp
///           ',"n":' integer ',"seq":' integer ',"root":"' digest '","chain":"' digest '","crc":"' crc '"}'
/// ```
extension RecordParser {
    /// Parses a SEGMENT line (without its newline); the crc is returned, not checked.
    package func parseSegmentHeader(
        _ line: UnsafeRawBufferPointer
    ) throws(RecordError) -> (header: SegmentHeader, crc: UInt32) {
        var cursor = try Self.cursor(for: line)
        try cursor.pass("{\"op\":\"SEGMENT\",\"format\":")
        let format = try cursor.integer()
        guard format == SegmentHeader.formatKnown else { throw cursor.error(.unknownFormat(format)) }
        try cursor.pass(",\"store\":\"")
        let store = try storeID(&cursor)
        try cursor.pass("\",\"segment\":")
        let segment = try cursor.integer()
        try cursor.pass(",\"timestamp\":")
        let timestamp = try cursor.timestamp()
        try cursor.pass(",\"n\":")
        let n = try cursor.integer()
        try cursor.pass(",\"seq\":")
        let seq = try cursor.integer()
        try cursor.pass(",\"root\":\"")
        let root = try cursor.digest()
        try cursor.pass("\",\"chain\":\"")
        let chain = try cursor.digest()
        try cursor.pass("\",\"crc\":\"")
        let crc = try cursor.crc()
        try cursor.pass("\"}")
        try cursor.requireEnd()
        let header = SegmentHeader(
            store: store, segment: segment, timestamp: timestamp, n: n, seq: seq, root: root, chain: chain)
        return (header, crc)
    }

    private func storeID(_ cursor: inout LineCursor) throws(RecordError) -> StoreID {
        let end = min(cursor.offset + StoreID.textCount, cursor.line.count)
        guard let store = StoreID(text: Array(cursor.line[cursor.offset..<end])) else {
            throw cursor.error(.malformedStoreID)
        }
        cursor.offset = end
        return store
    }
}
