import Hashing
package import StrictJSON

extension SegmentHeader {
    /// Appends the header's line, newline included.
    package func append(to buffer: inout ByteBuffer) {
        let start = buffer.count
        RecordEncoder.appendSegmentHeader(self, to: &buffer)
        let crc = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...]))
        RecordEncoder.appendCRC(crc, to: &buffer)
    }

    /// Why a segment's header cannot be believed.
    package enum ReadError: Error {
        case disk(DiskError)
        case malformed(offset: Int, reason: String)
    }

    /// Reads and verifies the header of a segment's file; also returns where the flushes begin.
    package static func read(from file: any DiskFile) throws(ReadError) -> (header: SegmentHeader, offset: Int) {
        var bytes = [UInt8](repeating: 0, count: 1024)
        do throws(DiskError) {
            let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            }
            bytes.removeLast(bytes.count - count)
        } catch {
            throw .disk(error)
        }
        guard let end = bytes.firstIndex(of: 0x0a) else {
            throw .malformed(offset: 0, reason: "there is no SEGMENT line")
        }
        let line = Array(bytes[..<end])
        let parsed: (header: SegmentHeader, crc: UInt32)
        do throws(RecordError) {
            parsed = try line.withUnsafeBufferPointer { line throws(RecordError) in
                try RecordParser().parseSegmentHeader(UnsafeRawBufferPointer(line))
            }
        } catch {
            throw .malformed(offset: error.offset, reason: "\(error.reason)")
        }
        let suffix = line.withUnsafeBytes { RecordParser.flushEndSuffix(of: $0) }
        let covered = line[..<(suffix?.crcOffset ?? 0)]
        guard covered.withUnsafeBytes({ CRC32C.checksum($0) }) == parsed.crc else {
            throw .malformed(offset: 0, reason: "the crc of the SEGMENT line does not match")
        }
        return (parsed.header, end + 1)
    }
}
