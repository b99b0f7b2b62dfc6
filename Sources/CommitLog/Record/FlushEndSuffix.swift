package import Hashing

/// The fixed end of a flush's last line, and of a SEGMENT line: `,"chain":"<64 digits>","crc":"<8 digits>"}`.
///
/// In a canonical line a bare `"` stands only where the grammar has one, so no record in mid-flush ends so.
package struct FlushEndSuffix: Hashable, Sendable {
    package var chain: Digest
    package var crc: UInt32
    /// Where `,"chain"` begins: the chain covers the flush up to here.
    package var chainOffset: Int
    /// Where `,"crc"` begins: the crc covers the flush up to here.
    package var crcOffset: Int

    /// How many bytes the suffix has.
    static let count = 10 + 64 + 1 + 8 + 8 + 2

    /// `nil` if the line does not end so. Looks at the suffix alone.
    init?(of line: UnsafeRawBufferPointer) {
        guard line.count >= Self.count else { return nil }
        chainOffset = line.count - Self.count
        crcOffset = chainOffset + 10 + 64 + 1
        var cursor = LineCursor(line)
        cursor.offset = chainOffset
        do throws(RecordError) {
            try cursor.pass(",\"chain\":\"")
            chain = try cursor.digest()
            try cursor.pass("\",\"crc\":\"")
            crc = try cursor.crc()
            try cursor.pass("\"}")
        } catch {
            return nil
        }
    }
}
