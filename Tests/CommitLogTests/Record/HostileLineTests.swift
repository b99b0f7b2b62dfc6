import CommitLog
import SpecSupport
import StrictJSON
import Testing

/// Lines that are meant to take too long, to take too much memory or to bring the process down. Each is a clear
/// error (or a record) at once if the work is linear: what would be quadratic here takes much longer than that.
@Suite(.timeLimit(.minutes(5))) struct HostileLineTests {
    private func line(_ data: String) -> [UInt8] {
        bytes(#"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"data":{\#(data)}}"#)
    }

    private let dataOffset = 63

    @Test func `400 KB of combining marks are too long for a key and fine as a value`() throws {
        let marks = String(repeating: "\u{301}", count: 200_000)
        #expect(refusal(line("\"\(marks)\":1")) == RecordError(offset: dataOffset, reason: .keySize))
        #expect(try RecordSample(line: line("\"a\":\"\(marks)\"")).changes[0].value == bytes(marks))
        #expect(refusal(line("\"a\":{\"\(marks)\":1}")) == nil)
        #expect(refusal(line("\"a\":{\"\(marks)\":1,\"\(marks)\":1}"))?.reason == .malformedValue(.duplicateKey))
    }

    @Test(arguments: [10_000, 1_000_000]) func `great depth is an error, and as a string a value`(depth: Int) throws {
        for open in ["[", "{\"a\":"] {
            let nested = String(repeating: open, count: depth)
            #expect(refusal(line("\"a\":\(nested)"))?.reason == .malformedValue(.tooDeep(depthMax: 32)))
        }
        let value = bytes(String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        let record = RecordSample(changes: [Change(key: [1], value: value)])
        #expect(try RecordSample(line: record.line) == record)
    }

    @Test func `duplicate keys are found in data and in values`() {
        #expect(refusal(line(#""a":1,"a":1"#)) == RecordError(offset: dataOffset + 6, reason: .keyOrder))
        #expect(
            refusal(line(#""a":{"b":1,"\u0062":1}"#))
                == RecordError(offset: dataOffset + 11, reason: .malformedValue(.duplicateKey)))
    }

    @Test func `1e999 is a value but no sequence`() throws {
        #expect(try RecordSample(line: line(#""a":1e999"#)).changes[0].value == bytes("1e999"))
        let commit = #"{"op":"COMMIT","n":1,"tx_id":"t","timestamp":1.000000,"seq":1e999}"#
        #expect(refusal(bytes(commit)) == RecordError(offset: 61, reason: .expected("}")))
        #expect(refusal(bytes(commit.replacing("\"n\":1,", with: "\"n\":1e999,")))?.reason == .expected(#","tx_id":"#))
    }

    @Test func `lone surrogates, NUL, a byte-order mark and what is not UTF-8 are refused`() {
        #expect(
            refusal(line(#""a":["\ud800"]"#))
                == RecordError(offset: dataOffset + 6, reason: .malformedValue(.loneSurrogate)))
        #expect(refusal(line(#""a":"\udfff""#)) == RecordError(offset: dataOffset + 5, reason: .otherEscape))
        #expect(refusal(line(#""\ud800":1"#)) == RecordError(offset: dataOffset + 1, reason: .otherEscape))
        #expect(refusal(line("\"a\0\":1")) == RecordError(offset: dataOffset + 2, reason: .controlCharacter))
        #expect(refusal(line("\"a\":\"\0\"")) == RecordError(offset: dataOffset + 5, reason: .controlCharacter))
        #expect(refusal(line("\"a\":1\0")) == RecordError(offset: dataOffset + 5, reason: .expected("}")))
        #expect(refusal(bytes("\u{feff}") + line(#""a":1"#)) == RecordError(offset: 0, reason: .byteOrderMark))
        #expect(refusal(line(#""a":1"#) + [0]) == RecordError(offset: dataOffset + 7, reason: .trailingBytes))
        #expect(refusal(line("\"a\":\"") + [0xFF]) == RecordError(offset: dataOffset + 7, reason: .notUTF8))
        #expect(refusal(Array(repeating: 0, count: 100_000))?.reason == .expected(#"{"op":""#))
    }

    @Test func `a line of more than 64 MiB is refused before it is looked at`() {
        var long = Array(repeating: UInt8(ascii: "["), count: RecordLimits.lineBytesMax + 1)
        let tooLong = RecordError(offset: RecordLimits.lineBytesMax, reason: .lineTooLong)
        #expect(refusal(long) == tooLong)
        let start = line("\"a\":\"")
        long.replaceSubrange(..<start.count, with: start)
        #expect(refusal(long) == tooLong)
    }

    @Test func `a value has at most 16 MiB, and that many can be escaped and parsed`() throws {
        for byte in [UInt8(ascii: "x"), 0x22, 0xFF] {
            let value = Array(repeating: byte, count: RecordLimits.valueBytesMax)
            let record = RecordSample(changes: [Change(key: [1], value: value)])
            #expect(try RecordSample(line: record.line) == record)
        }
        let longer = String(repeating: "x", count: RecordLimits.valueBytesMax + 1)
        #expect(refusal(line("\"a\":\"\(longer)\"")) == RecordError(offset: dataOffset + 4, reason: .valueTooLong))
        #expect(refusal(line("\"a\":[\"\(longer)\"]"))?.reason == .valueTooLong)
    }

    @Test func `data that would not fit a line is refused when it is encoded`() {
        // A control character takes six bytes: two values of 16 MiB would be 192 MiB.
        let value = Array(repeating: UInt8(1), count: RecordLimits.valueBytesMax)
        let record = RecordSample(changes: [Change(key: [1], value: value), Change(key: [2], value: value)])
        #expect(throws: RecordError(offset: 0, reason: .lineTooLong)) { try record.line }
    }

    @Test func `300,000 keys, values and reads are parsed in linear time`() throws {
        let keys = (0..<300_000).map { bytes(String(1_000_000 + $0)) }
        var record = RecordSample(changes: keys.map { Change(key: $0, value: bytes("{\"\\\"")) })
        record.isVoted = true
        record.reads = keys.map { .key($0) }
        #expect(try RecordSample(line: record.line) == record)
        let members = (0..<300_000).map { "\"\($0)\":1" }.joined(separator: ",")
        #expect(refusal(line("\"a\":{\(members)}")) == nil)
        #expect(refusal(line("\"a\":{\(members),\"77\":2}"))?.reason == .malformedValue(.duplicateKey))
    }
}
