import CommitLog
import SpecSupport
import StrictJSON
import Testing

/// One spelling for each key and value: the bytes, and the text in `data`.
@Suite struct RecordSpellingTests {
    private static let depth32 = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)

    static let values: [(value: [UInt8], spelling: String)] = [
        // JSON stands as it is.
        (bytes("5"), "5"), (bytes("-0"), "-0"), (bytes("1E+5"), "1E+5"), (bytes("1e999"), "1e999"),
        (bytes("true"), "true"),
        (bytes("false"), "false"), (bytes("{}"), "{}"), (bytes("[]"), "[]"), (bytes("[null]"), "[null]"),
        (bytes(#"{"b":1,"a":"\/\u00E9\ud83d\ude00"}"#), #"{"b":1,"a":"\/\u00E9\ud83d\ude00"}"#),
        (bytes(#"[{"$base64":"/w=="}]"#), #"[{"$base64":"/w=="}]"#),
        (bytes(#"{"$base64":1,"a":2}"#), #"{"$base64":1,"a":2}"#),
        (bytes(#"{"a":{"$base64":"/w=="}}"#), #"{"a":{"$base64":"/w=="}}"#), (bytes(depth32), depth32),
        (bytes(#"{"k":" spaced out "}"#), #"{"k":" spaced out "}"#), (bytes(#"{"$Base64":""}"#), #"{"$Base64":""}"#),
        // Other UTF-8 is a string.
        ([], #""""#), (bytes("null"), #""null""#), (bytes("hello"), #""hello""#), (bytes("nul"), #""nul""#),
        (bytes("\"text\""), #""\"text\"""#), (bytes(" 5"), #"" 5""#), (bytes("5 "), #""5 ""#), (bytes("05"), #""05""#),
        (bytes("5\n"), #""5\u000a""#), (bytes("[1, 2]"), #""[1, 2]""#), (bytes("{} "), #""{} ""#),
        (bytes("truer"), #""truer""#),
        (bytes("[" + depth32 + "]"), "\"[\(depth32)]\""), (bytes(#"{"a":1,"a":1}"#), #""{\"a\":1,\"a\":1}""#),
        (bytes(#"["\ud800"]"#), #""[\"\\ud800\"]""#), (bytes("1 2"), #""1 2""#), (bytes("\u{feff}5"), "\"\u{feff}5\""),
        (bytes("\u{1f}\u{7f}é\u{2028}/"), "\"\\u001f\u{7f}é\u{2028}/\""), (bytes("e\u{301}"), "\"e\u{301}\""),
        (bytes("\\"), #""\\""#), (bytes("\0"), #""\u0000""#), (bytes("NaN"), #""NaN""#),
        (bytes("$base64"), #""$base64""#),
        // What would read as base64 is a string, however its key is spelled and whatever its value is.
        (bytes(#"{"$base64":"/w=="}"#), #""{\"$base64\":\"/w==\"}""#),
        (bytes(#"{"$base64":5}"#), #""{\"$base64\":5}""#),
        (bytes(#"{"\u0024base64":[]}"#), #""{\"\\u0024base64\":[]}""#),
        // All else is base64.
        ([0xFF], #"{"$base64":"/w=="}"#), ([0xFF, 0xFE], #"{"$base64":"//4="}"#),
        ([0, 0xC3, 0x28], #"{"$base64":"AMMo"}"#),
        (bytes("[\"") + [0xFF] + bytes("\"]"), #"{"$base64":"WyL/Il0="}"#),
        ([0xED, 0xA0, 0x80], #"{"$base64":"7aCA"}"#),
    ]

    static let keys: [(key: [UInt8], spelling: String)] = [
        (bytes("a"), #""a""#), (bytes("é"), #""é""#), (bytes("e\u{301}"), "\"e\u{301}\""),
        (bytes("a\"\\\n"), #""a\"\\\u000a""#),
        (bytes("5"), #""5""#), (bytes("\0"), #""\u0000""#), (bytes("a$"), #""a$""#), (bytes("$"), #""$JA==""#),
        (bytes("$base64"), #""$JGJhc2U2NA==""#), ([0xFF], #""$/w==""#), ([0x61, 0xC3], #""$YcM=""#),
        (bytes("\u{feff}"), "\"\u{feff}\""),
    ]

    @Test(arguments: values)
    func `a value has one spelling, and comes back from it`(value: [UInt8], spelling: String) throws {
        let record = RecordSample(changes: [Change(key: bytes("k"), value: value)])
        let line = Self.line(#""k":\#(spelling)"#)
        #expect(try text(record.line) == text(line))
        #expect(try RecordSample(line: line) == record)
    }

    @Test(arguments: keys)
    func `a key has one spelling, in data and in reads`(key: [UInt8], spelling: String) throws {
        var record = RecordSample(changes: [Change(key: key, value: bytes("1"))])
        let line = Self.line("\(spelling):1")
        #expect(try text(record.line) == text(line))
        #expect(try RecordSample(line: line) == record)
        record.isVoted = true
        for item in [ReadItem.key(key), .range(from: key, to: nil), .range(from: [], to: key)] {
            record.reads = [item]
            #expect(try RecordSample(line: record.line) == record)
            #expect(try text(record.line).contains(spelling + "]") || text(record.line).contains("[\(spelling),null]"))
        }
    }

    @Test(arguments: [
        // A string of what stands as it is, or is deleted, or is no UTF-8.
        (#""5""#, RecordError.Reason.otherValueSpelling), (#""true""#, .otherValueSpelling),
        (#""{}""#, .otherValueSpelling),
        (#""[\"a\"]""#, .otherValueSpelling), (#""{\"$base64\":1,\"a\":2}""#, .otherValueSpelling),
        // Escapes that need not be, and others of the same.
        (#""\u0041""#, .otherEscape), (#""\/""#, .otherEscape), (#""\n""#, .otherEscape), (#""\u000A""#, .otherEscape),
        (#""\u0020""#, .otherEscape), (#""\u0022""#, .otherEscape), (#""\u007f""#, .otherEscape),
        (#""\ud83d\ude00""#, .otherEscape),
        (#""\u00""#, .otherEscape), (#""\u001g""#, .otherEscape), (#""\U0000""#, .otherEscape),
        // Base64 of what has another spelling, or not in its canonical form.
        (#"{"$base64":""}"#, .otherValueSpelling), (#"{"$base64":"aGk="}"#, .otherValueSpelling),
        (#"{"$base64":"/x=="}"#, .otherValueSpelling), (#"{"$base64":"/w="}"#, .otherValueSpelling),
        (#"{"$base64":"/w"}"#, .otherValueSpelling), (#"{"$base64":"_w=="}"#, .otherValueSpelling),
        (#"{"$base64":5}"#, .otherValueSpelling), (#"{"$base64":null}"#, .otherValueSpelling),
        (#"{"\u0024base64":"/w=="}"#, .otherValueSpelling), (#"{"$base64":"\/w=="}"#, .otherValueSpelling),
        (#"{"$base64":{"$base64":"/w=="}}"#, .otherValueSpelling), (#"{"$base64":["/w=="]}"#, .otherValueSpelling),
        // JSON that is not strict.
        ("[1, 2]", .malformedValue(.whiteSpace)), (#"{"a":1,"a":1}"#, .malformedValue(.duplicateKey)),
        (#"["\ud800"]"#, .malformedValue(.loneSurrogate)), ("05", .malformedValue(.malformedNumber)),
        ("+5", .malformedValue(.expectedValue)), ("NaN", .malformedValue(.expectedValue)),
        ("", .malformedValue(.expectedValue)),
        ("[" + depth32 + "]", .malformedValue(.tooDeep(depthMax: 32))), ("nul", .expected("null")),
    ])
    func `a value in any other spelling is refused`(spelling: String, reason: RecordError.Reason) {
        #expect(refusal(Self.line(#""k":\#(spelling),"z":1"#))?.reason == reason)
    }

    @Test(arguments: [
        (#""""#, RecordError.Reason.keySize), (#""$""#, .otherKeySpelling), (#""$YQ==""#, .otherKeySpelling),
        (#""$a""#, .otherKeySpelling), (#""$/x==""#, .otherKeySpelling), (#""$/w=""#, .otherKeySpelling),
        (#""\u0061""#, .otherEscape), (#""\u0024JA==""#, .otherEscape), ("5", .expected("\"")),
        ("null", .expected("\"")),
        ("\"\(String(repeating: "k", count: 1_025))\"", .keySize),
        ("\"$\(String(repeating: "////", count: 342))\"", .keySize),
    ])
    func `a key in any other spelling is refused`(spelling: String, reason: RecordError.Reason) {
        #expect(refusal(Self.line("\(spelling):1"))?.reason == reason)
        let voted = #"{"op":"PREPARE","n":1,"tx_id":"t-1","timestamp":1.000000,"voted":true,"data":{},"reads":"#
        #expect(refusal(bytes("\(voted)[\(spelling)]}"))?.reason == reason)
        if spelling != #""""# { #expect(refusal(bytes("\(voted)[[\(spelling),null]]}"))?.reason == reason) }
        if spelling != "null" { #expect(refusal(bytes("\(voted)[[\"\",\(spelling)]]}")) != nil) }
    }

    private static func line(_ members: String) -> [UInt8] {
        bytes(#"{"op":"PREPARE","n":1,"tx_id":"t-1","timestamp":1763690000.123456,"data":{\#(members)}}"#)
    }
}

@Suite struct RecordTextReadingTests {
    @Test(arguments: RecordSpellingTests.values)
    func `a canonical value is read to its bytes`(value: [UInt8], spelling: String) throws {
        var reader = try JSONReader(bytes(" \(spelling) "))
        #expect(try RecordText.readValue(&reader) == value)
    }

    @Test func `other spellings are read to the same bytes`() throws {
        for (spelling, expected) in [
            (#"{ "$base64" : "aGk=" }"#, bytes("hi")), (#"{"\u0024base64":"\/w=="}"#, [0xFF]),
            (#""\u0041""#, bytes("A")),
            ("{ \"a\" : 1 }", bytes(#"{"a":1}"#)), (#"{"$base64":1, "a":2}"#, bytes(#"{"$base64":1,"a":2}"#)),
            ("{ }", bytes("{}")),
            (#"{"$base64":""}"#, []),
        ] {
            var reader = try JSONReader(bytes(spelling))
            #expect(try RecordText.readValue(&reader) == expected)
        }
        var null = try JSONReader(bytes("null"))
        #expect(try RecordText.readValue(&null) == nil)
    }

    @Test(arguments: [#"{"$base64":5}"#, #"{"$base64":"/x=="}"#, #"{"$base64":"a"}"#, #"{"$base64":null}"#])
    func `an object whose only key is $base64 must hold base64`(spelling: String) throws {
        var reader = try JSONReader(bytes("[\(spelling)]"))
        try reader.beginArray()
        let hasNext = reader.hasNext()
        #expect(hasNext)
        #expect(throws: JSONError(offset: 1, reason: .notBase64)) { try RecordText.readValue(&reader) }
    }

    @Test func `a key behind a dollar sign is base64`() {
        #expect(RecordText.key(bytes("plain")) == bytes("plain"))
        #expect(RecordText.key(bytes("$JA==")) == bytes("$"))
        #expect(RecordText.key(bytes("$/w==")) == [0xFF])
        #expect(RecordText.key(bytes("$")) == [])
        #expect(RecordText.key(bytes("$x")) == nil)
    }
}
