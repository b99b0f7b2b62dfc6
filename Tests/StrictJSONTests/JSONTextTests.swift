import SeededRandom
import StrictJSON
import Testing

@Suite struct JSONTextTests {
    @Test(arguments: [
        "{}", "[]", "0", "-0", "1e999", "-1.5E+10", "0.0", "true", "false", "null", #""""#, #""\u00e9\/""#,
        #"{"":{"":[]}}"#,
        #"[1,"a",{"a":1,"b":1},[[]],null]"#, #"{"é":1,"e\u0301":2}"#, "\"\u{7f}\u{80}\u{2028}\"",
        #""\ud83d\ude00""#, "[{\"a\":1},{\"a\":1}]", #"{"a":{"a":{"a":1}}}"#,
    ])
    func `strict JSON is accepted`(text: String) {
        #expect(fault(bytes(text)) == nil)
    }

    @Test(arguments: [
        ("", 0, JSONError.Reason.endsEarly), ("{", 1, .endsEarly), (#"{"a""#, 4, .endsEarly), ("[1", 2, .endsEarly),
        ("tru", 3, .endsEarly), ("\"a", 2, .endsEarly), ("\"\\", 2, .endsEarly), (#""\u00"#, 5, .endsEarly),
        ("-", 1, .endsEarly), ("1.", 2, .endsEarly), ("1e", 2, .endsEarly), ("1e+", 3, .endsEarly),
        ("01", 1, .malformedNumber), ("-a", 1, .malformedNumber), (".5", 0, .expectedValue),
        ("1.e5", 2, .malformedNumber),
        ("1.2.3", 3, .malformedNumber), ("+1", 0, .expectedValue), ("NaN", 0, .expectedValue),
        ("True", 0, .expectedValue),
        ("truth", 3, .expectedValue), ("[1,]", 3, .expectedValue), ("[,1]", 1, .expectedValue),
        ("[1 2]", 2, .whiteSpace),
        (#"{"a":1,}"#, 7, .expectedKey), ("{1:2}", 1, .expectedKey), (#"{"a"1}"#, 4, .expectedColon),
        (#"{"a":1"b":2}"#, 6, .expectedCommaOrEnd), ("[1}", 2, .expectedCommaOrEnd),
        (#"{"a":1]"#, 6, .expectedCommaOrEnd),
        ("1 ", 1, .whiteSpace), (" 1", 0, .whiteSpace), ("[1, 2]", 3, .whiteSpace), ("{}{}", 2, .trailingBytes),
        ("1]", 1, .trailingBytes), ("\"\t\"", 1, .controlCharacter), ("\"a\0\"", 2, .controlCharacter),
        ("\0", 0, .expectedValue), (#""\x""#, 1, .unknownEscape), (#""\u00g0""#, 5, .unknownEscape),
        (#""\ud800""#, 1, .loneSurrogate), (#""\udc00""#, 1, .loneSurrogate), (#""\ud800\u0041""#, 1, .loneSurrogate),
        (#""\ud800\ud800""#, 1, .loneSurrogate), (#""\ud83d\n""#, 1, .loneSurrogate),
        (#"{"a":1,"a":1}"#, 7, .duplicateKey), (#"{"a":1,"\u0061":1}"#, 7, .duplicateKey),
        (#"[{"x":{"é":1,"\u00e9":2}}]"#, 14, .duplicateKey), (#"{"":1,"":1}"#, 6, .duplicateKey),
    ])
    func `anything else is refused, with its place and reason`(text: String, offset: Int, reason: JSONError.Reason) {
        #expect(fault(bytes(text)) == JSONError(offset: offset, reason: reason))
    }

    @Test func `a byte-order mark and bytes that are not UTF-8 are refused`() {
        #expect(fault([0xEF, 0xBB, 0xBF] + bytes("{}")) == JSONError(offset: 0, reason: .byteOrderMark))
        #expect(fault(bytes("\"ab") + [0xFF, 0x22]) == JSONError(offset: 3, reason: .notUTF8))
        #expect(fault(bytes("\"") + [0xED, 0xA0, 0x80, 0x22]) == JSONError(offset: 1, reason: .notUTF8))
    }

    @Test func `white space is accepted where it is allowed, between tokens alone`() {
        let text = " \n\r\t{ \"a b\" : [ 1 , true , { } , [ ] ] , \"b\":null }\t"
        #expect(fault(bytes(text), allowsWhiteSpace: true) == nil)
        #expect(fault(bytes(text))?.reason == .whiteSpace)
        #expect(fault(bytes("1 2"), allowsWhiteSpace: true) == JSONError(offset: 2, reason: .trailingBytes))
        #expect(fault(bytes("t rue"), allowsWhiteSpace: true) == JSONError(offset: 1, reason: .expectedValue))
        #expect(fault(bytes("[1\u{a0}]"), allowsWhiteSpace: true)?.reason == .expectedCommaOrEnd)
    }

    @Test(arguments: [1, 2, 32, 64])
    func `a value nests as deep as it may, and no deeper`(depthMax: Int) {
        func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
            bytes(String(repeating: open, count: depth) + String(repeating: close, count: depth))
        }
        #expect(fault(nested(depthMax, "[", "]"), depthMax: depthMax) == nil)
        #expect(
            fault(nested(depthMax + 1, "[", "]"), depthMax: depthMax)
                == JSONError(offset: depthMax, reason: .tooDeep(depthMax: depthMax)))
        #expect(fault(nested(depthMax, "{\"a\":", "}"), depthMax: depthMax)?.reason == .expectedValue)
        #expect(
            fault(nested(depthMax + 1, "{\"a\":", "}"), depthMax: depthMax)
                == JSONError(offset: depthMax * 5, reason: .tooDeep(depthMax: depthMax)))
        #expect(
            "\(JSONError(offset: 3, reason: .tooDeep(depthMax: 32)))" == "the value is nested deeper than 32, at byte 3"
        )
    }

    @Test func `every proper beginning of an object is refused`() {
        let whole = bytes(#"{"key":[1.5e3,"é\ud83d\ude00",true,null,{"a":-0}]}"#)
        #expect(fault(whole) == nil)
        for count in 0..<whole.count { #expect(fault(Array(whole[..<count])) != nil, "\(count)") }
    }

    @Test(arguments: [2, 7, 8, 9, 10, 100])
    func `the second of two same keys is found among few and many, wherever they are`(count: Int) {
        let offsets = (0..<count).map { 1 + $0 * 9 }
        for first in 0..<min(count, 12) {
            for second in Set([first + 1, count - 1]) where second > first && second < count {
                let keys = (0..<count).map { 1_000 + ($0 == second ? first : $0) }
                let object = "{" + keys.map { "\"\($0)\":1" }.joined(separator: ",") + "}"
                #expect(fault(bytes(object)) == JSONError(offset: offsets[second], reason: .duplicateKey))
            }
        }
        let distinct = "{" + (0..<count).map { "\"\($0)\":1" }.joined(separator: ",") + "}"
        #expect(fault(bytes(distinct)) == nil)
    }

    @Test func `keys that look the same as text but differ in bytes are different`() {
        #expect(fault(bytes("{\"\u{e9}\":1,\"e\u{301}\":2}")) == nil)
        #expect(fault(bytes("{\"\u{212b}\":1,\"\u{c5}\":2,\"A\u{30a}\":3}")) == nil)
    }
}

/// Input that is meant to take too long or to bring the process down. Each ends at once if the work is linear:
/// what would be quadratic here takes much longer than that.
@Suite(.timeLimit(.minutes(5))) struct HostileTextTests {
    @Test func `a key of 400 KB of combining marks is one key`() {
        let key = String(repeating: "\u{301}", count: 200_000)
        #expect(fault(bytes("{\"a\(key)\":1,\"b\(key)\":2}")) == nil)
        #expect(fault(bytes("{\"a\(key)\":1,\"a\(key)\":2}"))?.reason == .duplicateKey)
    }

    @Test func `depth 10,000 and a million is an error, not an overflow`() {
        for depth in [10_000, 1_000_000] {
            for open in ["[", "{\"a\":"] {
                let text = bytes(String(repeating: open, count: depth))
                #expect(fault(text)?.reason == .tooDeep(depthMax: 32))
                #expect(fault(text, depthMax: 64, allowsWhiteSpace: true)?.reason == .tooDeep(depthMax: 64))
            }
        }
    }

    @Test func `300,000 keys, in one object or many, escaped or not, are compared in linear time`() {
        let keys = (0..<300_000).map { "\"\($0)\":1" }
        #expect(fault(bytes("{" + keys.joined(separator: ",") + "}")) == nil)
        #expect(fault(bytes("{" + (keys + ["\"0\":1"]).joined(separator: ",") + "}"))?.reason == .duplicateKey)
        let escaped = (0..<300_000).map { "\"\\u0061\($0)\":1" }
        #expect(fault(bytes("{" + escaped.joined(separator: ",") + "}")) == nil)
        #expect(fault(bytes("[" + keys.map { "{\($0)}" }.joined(separator: ",") + "]")) == nil)
    }

    @Test func `long keys that differ at their end are compared in linear time`() {
        let long = String(repeating: "x", count: 100_000)
        let keys = (0..<100).map { "\"\(long)\($0)\":1" }
        #expect(fault(bytes("{" + keys.joined(separator: ",") + "}")) == nil)
    }

    @Test func `long strings of escapes, digits and white space are read in linear time`() {
        #expect(fault(bytes("\"" + String(repeating: "\\\"", count: 1_000_000) + "\"")) == nil)
        #expect(fault(bytes(String(repeating: "1", count: 2_000_000))) == nil)
        #expect(fault(bytes(String(repeating: " ", count: 2_000_000) + "1"), allowsWhiteSpace: true) == nil)
        #expect(fault(bytes("\"" + String(repeating: "\\", count: 1_000_001) + "\""))?.reason == .endsEarly)
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `random bytes and damaged texts are refused or accepted, never a trap`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let whole = bytes(#"{"key":[1.5e3,"é\ud83d\ude00\u00e9",true,null,{"a":-0,"b":{}}],"k":"v"}"#)
        for _ in 0..<10_000 {
            var text = Bool.random(using: &random) ? whole : random.bytes(.random(in: 0...40, using: &random))
            for _ in 0..<Int.random(in: 0...3, using: &random) where !text.isEmpty {
                let position = Int.random(in: text.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[position] = .random(in: 0...255, using: &random)
                case 1: text.remove(at: position)
                default: text.insert(contentsOf: text[position...].prefix(5), at: position)
                }
            }
            let offset = fault(text)?.offset ?? 0
            #expect(offset >= 0 && offset <= text.count)
        }
    }
}
