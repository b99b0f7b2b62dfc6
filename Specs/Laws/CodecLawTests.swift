import CommitLog
import Foundation
import Hashing
import SpecSupport
import StrictJSON
import Testing

/// The law of the codec: bytes → line → bytes is exact; what is not canonical is refused; Python's json reads from each
/// line what was put there.
@Suite struct CodecLawTests {
    @Test func `bytes become a line and come back the same`() throws {
        let reaching = [
            "bare": 2_000, "string": 5_000, "base64": 2_000, "null": 1_000, "empty value": 1_000, "base64 key": 4_000,
            "escape": 4_000, "longest key": 30, "range read": 800, "open range": 500, "key read": 2_000, "vote": 3_000,
            "resolved": 3_000, "flush end": 8_000, "longest reason": 50, "no changes": 1_000,
        ]
        try checkLaw("codec: exact", cases: 24_000, reaching: reaching) { choices, reach in
            let record = choices.record()
            let line = try record.line
            choices.note(Self.text(line))
            try expectEqual(RecordSample(line: line), record)
            Self.count(record, line, &reach)
        }
    }

    @Test func `every short value and key comes back`() throws {
        let alphabet = Array("\"\\{}[]:,$0-1e. tn\n".utf8) + [0xC3, 0xA9, 0xFF, 0]
        let tried = try checkEveryCase("codec: short", casesMax: 300_000, reaching: ["bare": 50]) { choices, reach in
            let bytes = choices.array(1...4) { $0.pick(alphabet) }
            let record = RecordSample(changes: [Change(key: bytes, value: bytes)])
            let line = try record.line
            choices.note(Self.text(line))
            try expectEqual(RecordSample(line: line), record)
            if !Self.text(line).contains("\":{\"$base64\"") && line[line.count - 3] != UInt8(ascii: "\"") {
                reach.count("bare")
            }
        }
        #expect(tried.isAll)
    }

    /// Many lines share one `ParsedFlush`, whose scratch memory must not move under what points to it.
    @Test func `what was parsed stays where it is until all is removed`() throws {
        try checkLaw("codec: stays", cases: 15, reaching: ["records": 2_000]) { choices, reach in
            let records = choices.array(200...200) { $0.record() }
            let long = RecordSample(changes: [Change(key: [0xFF], value: Array(repeating: 0x22, count: 200_000))])
            let lines = try (records + [long] + records).map { try Self.allocated($0.line) }
            defer { lines.forEach { $0.deallocate() } }
            let flush = ParsedFlush()
            var parser = RecordParser()
            for line in lines { try parser.parse(UnsafeRawBufferPointer(line), into: flush) }
            try expect(flush.records.map { RecordSample($0, in: flush) } == records + [long] + records)
            flush.removeAll()
            reach.count("records", records.count)
        }
    }

    @Test func `what says the same in another spelling is refused`() throws {
        let reaching = Dictionary(uniqueKeysWithValues: Respelling.Kind.allCases.map { ($0.rawValue, 150) })
        try checkLaw("codec: respelled", cases: 20_000, reaching: reaching) { choices, reach in
            let record = choices.record()
            let line = try record.line
            let kind = choices.pick(Respelling.Kind.allCases)
            guard let other = Respelling(line).line(kind, &choices), other != line else { return }
            choices.note("\(kind): \(Self.text(line))\n becomes \(Self.text(other))")
            try expectThrows("it is accepted") { _ = try RecordSample(line: other) }
            reach.count(kind.rawValue)
        }
    }

    @Test func `a damaged line is refused, or is the one line of what it says`() throws {
        try checkLaw("codec: damaged", cases: 24_000, reaching: ["accepted": 1_500, "refused": 10_000]) {
            choices, reach in
            let damaged = choices.damaged(try choices.record().line)
            choices.note(Self.text(damaged))
            try Self.expectCanonicalOrRefused(damaged, &reach)
        }
    }

    private static let samples = [
        #"{"op":"COMMIT","n":12,"tx_id":"t\"9","timestamp":10.000456,"resolved":true,"seq":9,"root":"\#(FlushEnd.sample.root.hex)","synced":410,"chain":"\#(FlushEnd.sample.chain.hex)","crc":"0102abcd"}"#,
        #"{"op":"ABORT","n":0,"tx_id":"é","timestamp":0.000001,"reason":"a\u000a\\😀"}"#,
        #"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"data":{"$JA==":{"$base64":"/wA="},"a":[1.5e3,"\ud83d\ude00"],"b":null}}"#,
        #"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"voted":true,"data":{},"reads":["a",["b","d"],"d",["$/w==",null]]}"#,
        #"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"data":{"a":"null","b":"{\"$base64\":\"AA==\"}","c":true,"d":"-"}}"#,
    ].map { Array($0.utf8) }

    @Test func `every single byte changed, left out or put in is refused, or makes another canonical line`() throws {
        let reaching = ["accepted": 1_000, "refused": 100_000]
        let tried = try checkEveryCase("codec: one byte", casesMax: 500_000, reaching: reaching) { choices, reach in
            var line = choices.pick(Self.samples)
            let position = choices.below(line.count)
            switch choices.below(3) {
            case 0: line[position] = UInt8(choices.below(256))
            case 1: line.remove(at: position)
            default: line.insert(choices.pick(Array("\"\\,:{}[]0 anu$=\0\u{1f}é".utf8)), at: position)
            }
            choices.note(Self.text(line))
            try Self.expectCanonicalOrRefused(line, &reach)
        }
        #expect(tried.isAll)
    }

    @Test func `every proper beginning of a line is refused, and read within its own bytes`() throws {
        // The line ends where the memory does: what follows would be seen by the address sanitizer.
        try checkLaw("codec: beginnings", cases: 4_000, reaching: ["whole": 200, "cut": 2_000]) { choices, reach in
            let line = try choices.record().line
            let count = choices.oneIn(10) ? line.count : choices.below(line.count)
            let memory = Self.allocated(Array(line[..<count]))
            defer { memory.deallocate() }
            choices.note(Self.text(Array(memory)))
            var parser = RecordParser()
            let isWhole = (try? parser.parse(UnsafeRawBufferPointer(memory), into: ParsedFlush())) != nil
            try expectEqual(isWhole, count == line.count)
            reach.count(isWhole ? "whole" : "cut")
        }
    }

    @Test func `a SEGMENT line comes back the same, and no other spelling of it is taken`() throws {
        var reaching = Dictionary(uniqueKeysWithValues: Respelling.Kind.allCases.map { ($0.rawValue, 100) })
        for kind in [Respelling.Kind.base64, .otherForm] { reaching[kind.rawValue] = nil }
        try checkLaw("codec: segment", cases: 4_000, reaching: reaching) { choices, reach in
            let header = choices.segmentHeader()
            let crc = UInt32(choices.magnitude(upTo: UInt64(UInt32.max)))
            let line = Self.line(header, crc)
            choices.note(Self.text(line))
            let parsed = try Self.parsed(line)
            try expect(parsed.header == header && parsed.crc == crc)
            let kind = choices.pick(Respelling.Kind.allCases)
            guard let other = Respelling(line).line(kind, &choices), other != line else { return }
            choices.note("\(kind) becomes \(Self.text(other))")
            try expectThrows("it is accepted") { _ = try Self.parsed(other) }
            reach.count(kind.rawValue)
        }
    }

    /// Python has its own definition of what a line says and how it is spelled: `canonical_line.py`.
    @Test func `Python reads from each line what was written, and refuses what is refused`() throws {
        let program = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "canonical_line.py")
        guard let python = try PythonOracle.start(program.path) else { return }
        let reaching = ["sound": 3_000, "damaged, accepted": 200, "damaged, refused": 1_500]
        try checkLaw("codec: Python", cases: 7_000, reaching: reaching) { choices, reach in
            var line = try choices.record().line
            let isDamaged = choices.bool()
            if isDamaged { line = choices.damaged(line) }
            choices.note(Self.text(line))
            let said = (try? RecordSample(line: line)).map(Self.content) ?? "refused"
            try expectEqual(said, python.answer(to: Self.hex(line)))
            reach.count(!isDamaged ? "sound" : said == "refused" ? "damaged, refused" : "damaged, accepted")
        }
    }

    // MARK: What the laws say

    /// If the line is accepted, its own encoding must be the line.
    private static func expectCanonicalOrRefused(_ line: [UInt8], _ reach: inout Reach) throws {
        guard let record = try? RecordSample(line: line) else { return reach.count("refused") }
        try expect(record.line == line, "accepted, but not canonical")
        reach.count("accepted")
    }

    private static func count(_ record: RecordSample, _ line: [UInt8], _ reach: inout Reach) {
        let text = text(line)
        for change in record.changes {
            guard let value = change.value else {
                reach.count("null")
                continue
            }
            var buffer = ByteBuffer()
            var scanner = RecordText.valueScanner()
            value.withUnsafeBytes { RecordText.appendValue($0, to: &buffer, &scanner) }
            let spelling = Array(buffer.bytes)
            reach.count(spelling == value ? "bare" : spelling[0] == UInt8(ascii: "\"") ? "string" : "base64")
            if value.isEmpty { reach.count("empty value") }
            if change.key.count == RecordLimits.keyBytesMax { reach.count("longest key") }
        }
        for item in record.reads {
            switch item {
            case .key: reach.count("key read")
            case .range(_, let to): reach.count(to == nil ? "open range" : "range read")
            }
        }
        let facts = [
            ("base64 key", text.contains("\"$")), ("escape", text.contains("\\u00")), ("vote", record.isVoted),
            ("resolved", record.isResolved), ("flush end", record.flushEnd != nil),
            ("no changes", record.isVoted && record.changes.isEmpty),
            ("longest reason", record.reason.count == RecordLimits.reasonBytesMax),
        ]
        for (fact, holds) in facts where holds { reach.count(fact) }
    }

    // MARK: Lines

    private static func allocated(_ line: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: line.count, alignment: 1)
        memory.copyBytes(from: line)
        return memory
    }

    private static func line(_ header: SegmentHeader, _ crc: UInt32) -> [UInt8] {
        var buffer = ByteBuffer()
        RecordEncoder.appendSegmentHeader(header, to: &buffer)
        RecordEncoder.appendCRC(crc, to: &buffer)
        return Array(buffer.bytes.dropLast())
    }

    private static func parsed(_ line: [UInt8]) throws -> (header: SegmentHeader, crc: UInt32) {
        try line.withUnsafeBytes { try RecordParser().parseSegmentHeader($0) }
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// What a record says, in the words of `canonical_line.py`, made without the code under test.
    private static func content(_ record: RecordSample) -> String {
        var words = ["\(record.op)".uppercased(), "n=\(record.n)", "tx_id=\(hex(record.txID))"]
        words.append(
            "timestamp=\(record.timestamp / 1_000_000).\(digits(Int(record.timestamp % 1_000_000), 6, radix: 10))")
        if record.isVoted { words.append("voted=yes") }
        if record.isResolved { words.append("resolved=yes") }
        switch record.op {
        case .prepare:
            let data = record.changes.map { "\(hex($0.key)):\($0.value.map { "=" + hex($0) } ?? "-")" }
            words.append("data=\(data.joined(separator: ","))")
            if !record.reads.isEmpty { words.append("reads=\(record.reads.map(content).joined(separator: ","))") }
        case .commit: words.append("seq=\(record.seq)")
        case .abort: words.append("reason=\(hex(record.reason))")
        }
        if let end = record.flushEnd {
            words += ["root=\(end.root.hex)", "synced=\(end.synced)", "chain=\(end.chain.hex)"]
            words.append("crc=\(digits(Int(end.crc), 8, radix: 16))")
        }
        return words.joined(separator: " ")
    }

    private static func content(_ item: ReadItem) -> String {
        switch item {
        case .key(let key): hex(key)
        case .range(let from, let to): "\(hex(from))..\(to.map(hex) ?? "")"
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { digits(Int($0), 2, radix: 16) }.joined() }

    private static func digits(_ number: Int, _ count: Int, radix: Int) -> String {
        let text = String(number, radix: radix)
        return String(repeating: "0", count: count - text.utf8.count) + text
    }
}

extension Choices {
    fileprivate mutating func segmentHeader() -> SegmentHeader {
        let max = RecordLimits.integerEnd - 1
        return SegmentHeader(
            store: StoreID(bytes: bytes(16...16))!, segment: magnitude(upTo: max),
            timestamp: magnitude(upTo: RecordLimits.timestampEnd - 1), n: magnitude(upTo: max),
            seq: magnitude(upTo: max),
            root: digest(), chain: digest())
    }
}
