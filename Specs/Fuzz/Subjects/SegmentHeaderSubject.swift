import CommitLog
import Hashing
import SpecSupport
import StrictJSON

extension FuzzSubject {
    /// The beginning of a segment's file: a header that is read is the line that would be written for it, newline and crc
    /// included.
    static let segmentHeader = FuzzSubject(
        name: "segment-header", seeds: SegmentHeaderLaw.seeds, words: { [] }, check: SegmentHeaderLaw.check)
}

private enum SegmentHeaderLaw {
    /// Of a line with a wrong crc all else is tried as well: a fuzzer does not find the right one.
    @Sendable static func check(_ file: [UInt8]) throws -> String {
        let found = try? read(file)
        if let found {
            try expect(line(of: found.header) == Array(file[..<found.offset]), "read, but not what is written")
        }
        let line = Array(file.prefix { $0 != 0x0a })
        guard let parsed = try? line.withUnsafeBytes({ try RecordParser().parseSegmentHeader($0) }) else {
            try expect(found == nil, "read from a line that is refused")
            return "refused"
        }
        try expect(spelled(parsed.header, crc: parsed.crc) == line, "parsed, but not canonical")
        let written = self.line(of: parsed.header)
        let readBack = try read(written + file.dropFirst(line.count + 1))
        try expect(readBack.header == parsed.header && readBack.offset == written.count, "not what was written")
        let suffix = line.withUnsafeBytes { RecordParser.flushEndSuffix(of: $0) }
        try expectEqual(suffix?.crcOffset, written.count - #","crc":"00000000"}"#.utf8.count - 1, "the crc is at")
        return found == nil ? "parsed" : "read"
    }

    private static func read(_ file: [UInt8]) throws -> (header: SegmentHeader, offset: Int) {
        try SegmentHeader.read(from: SimulatedDisk(files: ["segment": file]).open("segment", .read)!)
    }

    private static func line(of header: SegmentHeader) -> [UInt8] {
        var buffer = ByteBuffer()
        header.append(to: &buffer)
        return Array(buffer.bytes)
    }

    private static func spelled(_ header: SegmentHeader, crc: UInt32) -> [UInt8] {
        var buffer = ByteBuffer()
        RecordEncoder.appendSegmentHeader(header, to: &buffer)
        RecordEncoder.appendCRC(crc, to: &buffer)
        return Array(buffer.bytes.dropLast())
    }

    @Sendable static func seeds() throws -> [[UInt8]] {
        (UInt64(1)...12).map { seed in
            var choices = Choices(seed: seed)
            let max = RecordLimits.integerEnd - 1
            let header = SegmentHeader(
                store: StoreID(bytes: choices.bytes(16...16))!, segment: choices.magnitude(upTo: max),
                timestamp: choices.magnitude(upTo: RecordLimits.timestampEnd - 1), n: choices.magnitude(upTo: max),
                seq: choices.magnitude(upTo: max), root: choices.digest(), chain: choices.digest())
            return line(of: header) + (seed % 3 == 0 ? [0, 0, 0] : [])
        }
    }
}
