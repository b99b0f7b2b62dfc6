import CommitLog
import Hashing
import SpecSupport
import StrictJSON
import Testing

@Suite struct SegmentHeaderTests {
    private static let header = SegmentHeader(
        store: StoreID("01234567-89ab-cdef-fedc-ba9876543210")!, segment: 7, timestamp: 1_763_690_000_123_456, n: 410,
        seq: 198,
        root: FlushEnd.sample.root, chain: FlushEnd.sample.chain)

    private static let line =
        #"{"op":"SEGMENT","format":1,"store":"01234567-89ab-cdef-fedc-ba9876543210","segment":7,"timestamp":1763690000.123456,"#
        + #""n":410,"seq":198,"root":"\#(header.root.hex)","chain":"\#(header.chain.hex)","crc":"0102abcd"}"#

    private func parse(_ line: String) -> Result<(header: SegmentHeader, crc: UInt32), RecordError> {
        bytes(line).withUnsafeBytes { line in
            let parser = RecordParser()
            return Result { () throws(RecordError) in try parser.parseSegmentHeader(line) }
        }
    }

    private func refusal(_ line: String) -> RecordError.Reason? {
        if case .failure(let error) = parse(line) { error.reason } else { nil }
    }

    @Test func `a SEGMENT line stands as the design shows it`() throws {
        var buffer = ByteBuffer()
        RecordEncoder.appendSegmentHeader(Self.header, to: &buffer)
        #expect(text(Array(buffer.bytes)) + #","crc":"0102abcd"}"# == Self.line)
        RecordEncoder.appendCRC(0x0102_ABCD, to: &buffer)
        #expect(text(Array(buffer.bytes)) == Self.line + "\n")
        let parsed = try parse(Self.line).get()
        #expect(parsed.header == Self.header && parsed.crc == 0x0102_ABCD)
    }

    @Test func `the first segment repeats nothing`() throws {
        var header = Self.header
        (header.n, header.seq, header.segment, header.timestamp) = (0, 0, 1, 0)
        (header.root, header.chain) = (.zero, .zero)
        var buffer = ByteBuffer()
        RecordEncoder.appendSegmentHeader(header, to: &buffer)
        RecordEncoder.appendCRC(0, to: &buffer)
        #expect(try parse(String(text(Array(buffer.bytes)).dropLast())).get().header == header)
    }

    @Test(arguments: [
        (#""format":1"#, #""format":2"#, RecordError.Reason.unknownFormat(2)),
        (#""format":1"#, #""format":01"#, .malformedInteger),
        ("89ab", "89AB", .malformedStoreID), ("-89ab", "089ab", .malformedStoreID), ("0123", "123", .malformedStoreID),
        (#""segment":7"#, #""segment":"7""#, .malformedInteger), (#""seq":198,"#, "", .expected(#","seq":"#)),
        (#""n":410"#, #""n": 410"#, .malformedInteger), ("fedcba", "fedcbA", .malformedDigest),
        ("}", "} ", .trailingBytes),
        ("SEGMENT", "COMMIT", .expected(#"{"op":"SEGMENT","format":"#)),
    ])
    func `any other form is refused`(old: String, new: String, reason: RecordError.Reason) {
        #expect(refusal(Self.line.replacing(old, with: new)) == reason)
    }

    @Test func `every proper beginning and every single other byte is refused or another header`() {
        let line = bytes(Self.line)
        for count in 0..<line.count { #expect(refusal(text(Array(line[..<count]))) != nil) }
        line.withUnsafeBytes { #expect(RecordParser.isSegmentHeader($0)) }
        for position in line.indices {
            for byte in UInt8.min..<0x80 where byte != line[position] {
                var other = line
                other[position] = byte
                guard let (header, crc) = try? parse(text(other)).get() else { continue }
                var buffer = ByteBuffer()
                RecordEncoder.appendSegmentHeader(header, to: &buffer)
                RecordEncoder.appendCRC(crc, to: &buffer)
                #expect(Array(buffer.bytes.dropLast()) == other)
            }
        }
    }

    @Test func `a record is no SEGMENT line, and a SEGMENT line no record`() throws {
        try RecordSample(op: .commit).line.withUnsafeBytes { #expect(!RecordParser.isSegmentHeader($0)) }
        #expect(CommitLogTests.refusal(bytes(Self.line))?.reason == .unknownOp)
    }
}

@Suite struct FlushEndSuffixTests {
    private func suffix(_ line: [UInt8]) -> FlushEndSuffix? {
        line.withUnsafeBytes { RecordParser.flushEndSuffix(of: $0) }
    }

    @Test func `the last line of a flush says where chain and crc begin`() throws {
        for op in [Op.prepare, .commit, .abort] {
            var record = RecordSample(op: op)
            if op == .prepare { record.changes = [Change(key: [1], value: [2])] }
            #expect(suffix(try record.line) == nil)
            record.flushEnd = .sample
            let line = try record.line
            let found = try #require(suffix(line))
            #expect(found.chain == FlushEnd.sample.chain && found.crc == FlushEnd.sample.crc)
            #expect(text(Array(line[found.chainOffset...])).hasPrefix(#","chain":"fedc"#))
            #expect(text(Array(line[found.crcOffset...])) == #","crc":"0102abcd"}"#)
        }
    }

    @Test func `no record in mid-flush ends so, whatever it holds`() throws {
        let end = bytes(FlushEnd.sampleText + "}")
        var abort = RecordSample(op: .abort)
        abort.reason = end
        #expect(suffix(try abort.line) == nil)
        let prepare = RecordSample(changes: [Change(key: end, value: end)])
        #expect(suffix(try prepare.line) == nil)
        #expect(suffix(Array(end.dropFirst(5))) != nil)
        for count in 0..<93 { #expect(suffix(Array(end.suffix(count))) == nil) }
        #expect(suffix(Array(end.suffix(93))) != nil)
    }
}

@Suite struct StoreIDTests {
    @Test func `a uuid is spelled in lower case, 8-4-4-4-12, and comes back`() throws {
        let raw = (0..<16).map { UInt8($0 * 17) }
        let id = try #require(StoreID(bytes: raw))
        #expect("\(id)" == "00112233-4455-6677-8899-aabbccddeeff")
        #expect(id.bytes == raw)
        #expect(StoreID("\(id)") == id)
        #expect(StoreID(text: bytes("\(id)")) == id)
    }

    @Test(arguments: [
        "", "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233445566778899aabbccddeeff",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeeff0", "0011223-34455-6677-8899-aabbccddeeff",
        "{0112233-4455-6677-8899-aabbccddeef}",
        "g0112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddee f",
    ])
    func `any other spelling is refused`(text: String) {
        #expect(StoreID(text) == nil)
    }

    @Test func `only sixteen bytes make a uuid`() {
        #expect(StoreID(bytes: Array(repeating: 0, count: 15)) == nil)
        #expect(StoreID(bytes: Array(repeating: 0, count: 17)) == nil)
    }
}
