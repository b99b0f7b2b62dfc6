import CommitLog
import SpecSupport
import StrictJSON
import Testing

/// Lines that are refused, with where and why. What is refused for the spelling of a key or value: `RecordSpellingTests`.
@Suite struct RecordRefusalTests {
    private static let tx = #""n":1,"tx_id":"t","timestamp":1.000000"#
    private static let voted = #"{"op":"PREPARE",\#(tx),"voted":true,"data":{"a":1}"#

    @Test(arguments: [
        ("", RecordError.Reason.expected(#"{"op":""#)), ("{}", .expected(#"{"op":""#)), (" {", .expected(#"{"op":""#)),
        (#"{"op": "COMMIT""#, .expected(#"{"op":""#)), (#"{"n":1,"op":"COMMIT""#, .expected(#"{"op":""#)),
        (#"{"op":"BEGIN","n":1"#, .unknownOp), (#"{"op":"commit","n":1"#, .unknownOp),
        (#"{"op":"SEGMENT","format":1"#, .unknownOp),
        (#"{"op":"COMMIT","tx_id":"t""#, .unknownOp), (#"{"\u006fp":"COMMIT""#, .expected(#"{"op":""#)),
    ])
    func `a line begins with its op`(line: String, reason: RecordError.Reason) {
        #expect(refusal(bytes(line))?.reason == reason)
    }

    @Test(arguments: [
        ("01", RecordError.Reason.malformedInteger), ("00", .malformedInteger), ("", .malformedInteger),
        ("-1", .malformedInteger),
        ("+1", .malformedInteger), ("\"1\"", .malformedInteger), (" 1", .malformedInteger), ("1e3", .expected("}")),
        ("1e999", .expected("}")), ("1.0", .expected("}")), ("1 ", .expected("}")),
        ("9223372036854775808", .integerTooLarge),
        ("18446744073709551616", .integerTooLarge), ("18446744073709551620", .integerTooLarge),
        ("99999999999999999999999999", .integerTooLarge),
    ])
    func `a sequence is a plain whole number below 2^63`(number: String, reason: RecordError.Reason) {
        #expect(refusal(bytes(#"{"op":"COMMIT",\#(Self.tx),"seq":\#(number)}"#))?.reason == reason)
        #expect(refusal(bytes(#"{"op":"COMMIT","n":\#(number),"tx_id":"t","timestamp":1.000000,"seq":1}"#)) != nil)
        let end = FlushEnd.sampleText.replacing("410", with: number)
        #expect(refusal(bytes(#"{"op":"COMMIT",\#(Self.tx),"seq":1\#(end)}"#)) != nil)
    }

    @Test(arguments: [
        "1", "1.0", "1.00000", "1.0000000", "01.000000", ".000000", "-1.000000", "1,000000", "1. 00000",
        "\"1.000000\"",
        "9007199254.740992", "9007199255.000000", "99999999999999999999.000000", "1e9", "", "1.00000a",
    ])
    func `a timestamp has six decimals and is below 2^53 microseconds`(timestamp: String) {
        let line = #"{"op":"COMMIT","n":1,"tx_id":"t","timestamp":\#(timestamp),"seq":1}"#
        #expect(refusal(bytes(line)) == RecordError(offset: 45, reason: .malformedTimestamp))
    }

    @Test func `a tx_id has 1 to 256 bytes and no control characters`() {
        func line(_ id: String) -> [UInt8] {
            bytes(#"{"op":"COMMIT","n":1,"tx_id":"\#(id)","timestamp":1.000000,"seq":1}"#)
        }
        for id in ["t", "é😀", String(repeating: "x", count: 256), #"\"\\"#, "$x", "\u{a0}", "5"] {
            #expect(refusal(line(id)) == nil)
        }
        for id in ["", String(repeating: "x", count: 257), #"\u0000"#, #"\u001f"#, "\u{7f}", "\u{80}", "\u{9f}"] {
            #expect(refusal(line(id)) == RecordError(offset: 29, reason: .malformedTxID))
        }
        #expect(refusal(line("a\nb"))?.reason == .controlCharacter)
        #expect(refusal(line("a\0b"))?.reason == .controlCharacter)
    }

    @Test func `a reason has at most 1,024 bytes`() {
        func line(_ count: Int) -> [UInt8] {
            bytes(#"{"op":"ABORT",\#(Self.tx),"reason":"\#(String(repeating: #"\u0000"#, count: count))"}"#)
        }
        #expect(refusal(line(1_024)) == nil)
        #expect(refusal(line(1_025))?.reason == .reasonTooLong)
    }

    @Test(arguments: [
        (#"{"op":"COMMIT",\#(tx)}"#, RecordError.Reason.expected(#","seq":"#)),
        (#"{"op":"COMMIT",\#(tx),"seq":1,"x":1}"#, .expected("}")),
        (#"{"op":"COMMIT",\#(tx)e1,"seq":1}"#, .expected(#","seq":"#)),
        (#"{"op":"COMMIT",\#(tx),"seq":1}}"#, .trailingBytes),
        (#"{"op":"COMMIT",\#(tx),"seq":1} "#, .trailingBytes),
        (#"{"op":"COMMIT",\#(tx),"seq":1,"resolved":true}"#, .expected("}")),
        (#"{"op":"COMMIT",\#(tx),"resolved":false,"seq":1}"#, .expected(#","seq":"#)),
        (#"{"op":"COMMIT",\#(tx),"voted":true,"seq":1}"#, .expected(#","seq":"#)),
        (#"{"op":"COMMIT",\#(tx),"seq":1,"seq":1}"#, .expected("}")),
        (#"{"op":"ABORT",\#(tx),"reason":null}"#, .expected("\"")),
        (#"{"op":"COMMIT","tx_id":"t","n":1,"timestamp":1.000000,"seq":1}"#, .unknownOp),
        (#"{"op":"PREPARE",\#(tx),"data":{}}"#, .emptyData), (#"{"op":"PREPARE",\#(tx),"data":[]}"#, .expected("{")),
        (#"{"op":"PREPARE",\#(tx),"data":{"a":1,}}"#, .expected("\"")),
        (#"{"op":"PREPARE",\#(tx),"data":{"a":1}"#, .expected("}")),
        (#"{"op":"PREPARE",\#(tx),"data":{"a" :1}}"#, .expected(":")),
        (#"{"op":"PREPARE",\#(tx),"data":{"a": 1}}"#, .malformedValue(.whiteSpace)),
        (#"{"op":"PREPARE",\#(tx),"data":{"a":1},"reads":["b"]}"#, .expected("}")),
        (#"{"op":"PREPARE",\#(tx),"voted":false,"data":{"a":1}}"#, .expected(#","data":"#)),
        (#"{"op":"PREPARE",\#(tx),"data":{"a":1},"voted":true}"#, .expected("}")),
        (#"{"op":"PREPARE",\#(tx),"resolved":true,"data":{"a":1}}"#, .expected(#","data":"#)),
    ])
    func `fields are there, once, in their order, and no others`(line: String, reason: RecordError.Reason) {
        #expect(refusal(bytes(line))?.reason == reason)
    }

    @Test(arguments: [
        #""b":1,"a":1"#, #""a":1,"a":1"#, #""a":1,"a":null"#, #""aa":1,"a":1"#, #""é":1,"e":1"#, #""$/w==":1,"a":1"#,
        #""a":1,"$JA==":1"#,
    ])
    func `keys rise strictly, by their decoded bytes`(members: String) {
        #expect(refusal(bytes(#"{"op":"PREPARE",\#(Self.tx),"data":{\#(members)}}"#))?.reason == .keyOrder)
    }

    @Test(arguments: [
        #""$JA==":1,"a":1"#, #""a":1,"$/w==":1"#, #""\u0000":1,"a":1,"aa":1,"b":null,"e":1,"é":1"#, #""\"":1,"a":1"#,
        "\"e\u{301}\":1,\"\u{e9}\":2",
    ])
    func `keys that rise are accepted`(members: String) {
        #expect(refusal(bytes(#"{"op":"PREPARE",\#(Self.tx),"data":{\#(members)}}"#)) == nil)
    }

    @Test(arguments: [
        (#"[]"#, RecordError.Reason.expected("\"")), (#"["b","a"]"#, .readOrder), (#"["a","a"]"#, .readOrder),
        (#"[["a","b"],"a"]"#, .readOrder), (#"[["a","c"],"b"]"#, .readOrder), (#"["a",["a","b"]]"#, .readOrder),
        (#"[["a","b"],["b","c"]]"#, .readOrder), (#"[["a","c"],["b","d"]]"#, .readOrder),
        (#"[["a",null],"b"]"#, .readOrder),
        (#"[["a",null],["b",null]]"#, .readOrder), (#"[["b","b"]]"#, .emptyRange), (#"[["b","a"]]"#, .emptyRange),
        (#"[["",""]]"#, .keySize), (#"[["a"]]"#, .expected(",")), (#"[["a","b","c"]]"#, .expected("]")),
        (#"[[null,"b"]]"#, .expected("\"")),
        (#"["a" ]"#, .expected("]")), (#"null"#, .expected("[")), (#"[""]"#, .keySize), (#"["a",]"#, .expected("\"")),
        (#"[["","b"],["a","c"]]"#, .readOrder),
    ])
    func `reads that are not canonical are refused`(reads: String, reason: RecordError.Reason) {
        #expect(refusal(bytes("\(Self.voted),\"reads\":\(reads)}"))?.reason == reason)
    }

    @Test(arguments: [
        #"["a","b"]"#, #"[["a","b"],"b"]"#, #"[["a","b"],"b",["c","d"]]"#, #"["a",["b",null]]"#, #"[["","b"],"c"]"#,
        #"["a",["a\u0000","b"]]"#, #"[["a","b"],["b\u0000","c"]]"#, #"[["",null]]"#, #"["$JA==","a","$/w=="]"#,
    ])
    func `reads that are canonical are accepted`(reads: String) throws {
        let line = bytes("\(Self.voted),\"reads\":\(reads)}")
        #expect(try text(RecordSample(line: line).line) == text(line))
    }

    @Test(arguments: [
        (#"","synced""#, #"0","synced""#, RecordError.Reason.expected(#"","synced":"#)),
        ("0123", "012", .malformedDigest),
        ("0123", "0G23", .malformedDigest), ("abcdef\"", "ABCDEF\"", .malformedDigest),
        ("0102abcd", "0102ABCD", .malformedCRC),
        ("0102abcd", "102abcd", .malformedCRC), (#","synced":410"#, "", .expected(#"","synced":"#)),
        (#""crc":"#, #""CRC":"#, .expected(#"","crc":""#)), (#","root":"#, #","Root":"#, .expected("}")),
    ])
    func `the end of a flush is whole and in lower case`(old: String, new: String, reason: RecordError.Reason) {
        let line = #"{"op":"COMMIT",\#(Self.tx),"seq":1\#(FlushEnd.sampleText)}"#
        #expect(refusal(bytes(line)) == nil)
        #expect(refusal(bytes(line.replacing(old, with: new, maxReplacements: 1)))?.reason == reason)
        #expect(refusal(bytes(String(line.dropLast()))) != nil)
        #expect(refusal(bytes(line + "\n"))?.reason == .trailingBytes)
    }

    @Test func `an error says where and why in plain words`() throws {
        let error = try #require(refusal(bytes(#"{"op":"COMMIT",\#(Self.tx),"seq":1e999}"#)))
        #expect("\(error)" == "expected }, at byte 61 of the line")
        let value = try #require(refusal(bytes(#"{"op":"PREPARE",\#(Self.tx),"data":{"a":{"b":1,"b":2}}}"#)))
        #expect("\(value)" == "a value is malformed: an object has a key twice, at byte 74 of the line")
    }

    @Test func `a line that fails leaves what was parsed before as it was`() throws {
        let flush = ParsedFlush()
        var parser = RecordParser()
        let good = bytes("\(Self.voted),\"reads\":[\"r\\\"\"]}")
        let bad = bytes(
            #"{"op":"PREPARE",\#(Self.tx),"voted":true,"data":{"\"":"\\","c":{"$base64":"/w=="}},"reads":["x","y","a"]}"#
        )
        good.withUnsafeBytes { good in
            bad.withUnsafeBytes { bad in
                for round in 1...3 {
                    #expect(throws: Never.self) { try parser.parse(good, into: flush) }
                    #expect(throws: RecordError.self) { try parser.parse(bad, into: flush) }
                    #expect(flush.records.count == round && flush.changes.count == round && flush.reads.count == round)
                    #expect(flush.records.last?.changes == round - 1..<round)
                    #expect(RecordSample(flush.records[0], in: flush).reads == [.key(bytes("r\""))])
                }
            }
        }
        flush.removeAll()
        #expect(flush.records.isEmpty && flush.changes.isEmpty && flush.reads.isEmpty)
    }
}
