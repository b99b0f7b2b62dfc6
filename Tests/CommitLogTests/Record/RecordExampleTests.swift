import CommitLog
import Hashing
import SpecSupport
import Testing

/// The examples of design.md, section 3, with its "…" filled in.
@Suite struct RecordExampleTests {
    @Test func `a PREPARE stands as the design shows it`() throws {
        var record = RecordSample(changes: [
            Change(key: bytes("alice"), value: bytes(#"{"balance":90}"#)), Change(key: bytes("bob"), value: nil),
        ])
        record.n = 411
        record.txID = bytes("t-9")
        try expect(
            record,
            #"{"op":"PREPARE","n":411,"tx_id":"t-9","timestamp":1763690000.123456,"data":{"alice":{"balance":90},"bob":null}}"#
        )
    }

    @Test func `a COMMIT that ends a flush stands as the design shows it`() throws {
        var record = RecordSample(op: .commit)
        record.n = 412
        record.txID = bytes("t-9")
        record.seq = 199
        record.flushEnd = .sample
        let head = #"{"op":"COMMIT","n":412,"tx_id":"t-9","timestamp":1763690000.123456"#
        try expect(record, head + #","seq":199"# + FlushEnd.sampleText + "}")
        record.isResolved = true
        try expect(record, head + #","resolved":true,"seq":199"# + FlushEnd.sampleText + "}")
        record.flushEnd = nil
        try expect(record, head + #","resolved":true,"seq":199}"#)
    }

    @Test func `a voted PREPARE with reads stands as the design shows it`() throws {
        var record = RecordSample(changes: [Change(key: bytes("dave"), value: bytes("5"))])
        record.n = 413
        record.txID = bytes("g-1")
        record.isVoted = true
        record.reads = [.key(bytes("carol")), .range(from: bytes("e"), to: bytes("f"))]
        record.flushEnd = .sample
        let head = #"{"op":"PREPARE","n":413,"tx_id":"g-1","timestamp":1763690000.123456,"voted":true,"data":"#
        try expect(record, head + #"{"dave":5},"reads":["carol",["e","f"]]"# + FlushEnd.sampleText + "}")
        record.changes = []
        record.reads = [.range(from: [], to: nil)]
        try expect(record, head + #"{},"reads":[["",null]]"# + FlushEnd.sampleText + "}")
        record.reads = []
        try expect(record, head + "{}" + FlushEnd.sampleText + "}")
    }

    @Test func `an ABORT stands as the design shows it`() throws {
        var record = RecordSample(op: .abort)
        record.n = 414
        record.txID = bytes("g-1")
        record.reason = bytes("insufficient_funds")
        record.flushEnd = .sample
        let head = #"{"op":"ABORT","n":414,"tx_id":"g-1","timestamp":1763690000.123456"#
        try expect(record, head + #","reason":"insufficient_funds""# + FlushEnd.sampleText + "}")
        record.isResolved = true
        record.reason = []
        try expect(record, head + #","resolved":true,"reason":"""# + FlushEnd.sampleText + "}")
    }

    @Test(arguments: [
        (0, "0.000000"), (1, "0.000001"), (999_999, "0.999999"), (1_000_000, "1.000000"), (10_000_001, "10.000001"),
        (RecordLimits.timestampEnd - 1, "9007199254.740991"),
    ])
    func `a timestamp is seconds with six decimals`(microseconds: UInt64, expected: String) throws {
        var record = RecordSample(op: .commit)
        record.timestamp = microseconds
        try expect(record, #"{"op":"COMMIT","n":1,"tx_id":"t-1","timestamp":\#(expected),"seq":0}"#)
    }

    @Test func `the largest numbers, the longest tx_id, reason and key have a line`() throws {
        var record = RecordSample(op: .abort)
        record.n = RecordLimits.integerEnd - 1
        record.txID = Array(repeating: UInt8(ascii: "\""), count: 256)
        record.reason = Array(repeating: 0, count: 1_024)
        record.flushEnd = .sample
        record.flushEnd?.synced = RecordLimits.integerEnd - 1
        #expect(try RecordSample(line: record.line) == record)
        let prepare = RecordSample(changes: [Change(key: Array(repeating: 0xFF, count: 1_024), value: [])])
        #expect(try RecordSample(line: prepare.line) == prepare)
    }

    private func expect(_ record: RecordSample, _ line: String) throws {
        #expect(try text(record.line) == line)
        #expect(try RecordSample(line: bytes(line)) == record)
    }
}
