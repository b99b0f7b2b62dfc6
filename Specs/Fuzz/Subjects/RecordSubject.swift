import CommitLog
import SpecSupport
import StrictJSON

extension FuzzSubject {
    /// A line of the log: what is read is spelled in this way only, says the same to a reader of plain JSON, and what
    /// is refused leaves no trace.
    static let record = FuzzSubject(
        name: "record", seeds: RecordLaw.seeds, words: { RecordLaw.words.map { Array($0.utf8) } },
        check: RecordLaw.check)
}

private enum RecordLaw {
    @Sendable static func check(_ line: [UInt8]) throws -> String {
        let flush = ParsedFlush()
        var parser = RecordParser()
        return try before.withUnsafeBytes { before in
            try parser.parse(before, into: flush)
            let isTaken = line.withUnsafeBytes { (try? parser.parse($0, into: flush)) != nil }
            try expectEqual(flush.records.count, isTaken ? 2 : 1, "records:")
            try expectEqual(flush.changes.count, flush.records.reduce(0) { $0 + $1.changes.count }, "changes:")
            try expectEqual(flush.reads.count, flush.records.reduce(0) { $0 + $1.reads.count }, "reads:")
            try expect(RecordSample(flush.records[0], in: flush) == Self.sample, "the line before has changed")
            guard isTaken else { return "refused" }
            let record = try RecordSample(line: line)
            try expect(record.line == line, "accepted, but not canonical")
            guard record.op == .prepare else { return "decision" }
            try expect(changes(inJSON: line) == record.changes, "plain JSON says something else")
            return "prepare"
        }
    }

    private static let sample = RecordSample(changes: [
        Change(key: [0xFF], value: [0x22]), Change(key: [0xFF, 0], value: nil),
    ])
    private static let before = try! sample.line

    /// The changes, as the tool would read them from its input.
    private static func changes(inJSON line: [UInt8]) throws -> [Change] {
        var reader = try JSONReader(line)
        var changes: [Change] = []
        try reader.beginObject()
        while let name = reader.nextKey() {
            guard name == Array("data".utf8) else {
                try reader.skipValue()
                continue
            }
            try reader.beginObject()
            while let key = reader.nextKey() {
                try expect(RecordText.key(key) != nil, "a key is none")
                changes.append(Change(key: RecordText.key(key)!, value: try RecordText.readValue(&reader)))
            }
        }
        return changes
    }

    @Sendable static func seeds() throws -> [[UInt8]] {
        try (UInt64(1)...60).map { seed in
            var choices = Choices(seed: seed)
            return try choices.record().line
        }.filter { $0.count <= 1_000 }
    }

    static let words = [
        "{\"op\":\"PREPARE\",\"n\":", "{\"op\":\"COMMIT\",\"n\":", "{\"op\":\"ABORT\",\"n\":", ",\"tx_id\":",
        ",\"timestamp\":", ",\"voted\":true", ",\"data\":{", ",\"reads\":[", ",\"resolved\":true", ",\"seq\":",
        ",\"reason\":", ",\"root\":\"", ",\"synced\":", ",\"chain\":\"", ",\"crc\":\"", "{\"$base64\":\"", "\"$",
        "null",
        "\\u00", "\\u0024base64", "\\ud83d\\ude00", "1.5e-3", "[[[[[[[[[[[[[[[[", "]]]]]]]]]]]]]]]]", "\u{10FFFF}",
    ]
}
