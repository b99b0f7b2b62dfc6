import StrictJSON
import Testing

@Suite struct JSONReaderTests {
    @Test func `an object is read in order, in any valid spelling`() throws {
        var reader = try JSONReader(
            bytes(
                " { \"tx_id\" : \"t\\u002d9\" , \"data\": { \"a\" : { \"b c\" : [ 1 , 2 ] } , \"x\":null }, \"n\" : 12 , \"ok\":true }\n"
            ))
        try reader.beginObject()
        #expect(reader.nextKey() == bytes("tx_id"))
        #expect(try reader.readString() == bytes("t-9"))
        #expect(reader.nextKey() == bytes("data"))
        try reader.beginObject()
        #expect(reader.nextKey() == bytes("a"))
        #expect(try reader.readValue() == bytes(#"{"b c":[1,2]}"#))
        #expect(reader.nextKey() == bytes("x"))
        #expect(reader.kind == .null)
        try reader.readNull()
        #expect(reader.nextKey() == nil)
        #expect(reader.nextKey() == bytes("n"))
        #expect(try reader.readUnsigned() == 12)
        #expect(reader.nextKey() == bytes("ok"))
        #expect(try reader.readBool() == true)
        #expect(reader.nextKey() == nil)
    }

    @Test func `arrays are read one element after the other, empty ones too`() throws {
        var reader = try JSONReader(bytes("[ [ ] , [1,2 ,3] , {} , \"]\" , [[], 18446744073709551615] ]"))
        try reader.beginArray()
        #expect(reader.hasNext() == true)
        try reader.beginArray()
        #expect(reader.hasNext() == false)
        #expect(reader.hasNext() == true)
        try reader.beginArray()
        var numbers: [UInt64] = []
        while reader.hasNext() { numbers.append(try reader.readUnsigned()) }
        #expect(numbers == [1, 2, 3])
        #expect(reader.hasNext() == true)
        try reader.beginObject()
        #expect(reader.nextKey() == nil)
        #expect(reader.hasNext() == true)
        #expect(try reader.readString() == bytes("]"))
        #expect(reader.hasNext() == true)
        try reader.beginArray()
        #expect(reader.hasNext() == true)
        try reader.skipValue()
        #expect(reader.hasNext() == true)
        #expect(try reader.readUnsigned() == .max)
        #expect(reader.hasNext() == false)
        #expect(reader.hasNext() == false)
    }

    @Test(arguments: [
        (" 5 ", "5"), ("-1.50E+3", "-1.50E+3"), ("true", "true"), ("null", "null"), ("\"a \\\" b\"", "a \" b"),
        ("\"\"", ""),
        ("{ \"a\\\" \" : \" \\\\\" , \"b\":[ ] }", #"{"a\" ":" \\","b":[]}"#), ("[\n1 ,\t[ ] ]", "[1,[]]"),
    ])
    func `a value is its own text less the white space, a string what it says`(text: String, expected: String) throws {
        var reader = try JSONReader(bytes(text))
        #expect(try reader.readValue() == bytes(expected))
    }

    @Test func `a value of another kind is an error that leaves the reader before it`() throws {
        var reader = try JSONReader(bytes("[\"a\",-1]"))
        #expect(throws: JSONError(offset: 0, reason: .notObject)) { try reader.beginObject() }
        try reader.beginArray()
        #expect(reader.hasNext() == true)
        #expect(throws: JSONError(offset: 1, reason: .notArray)) { try reader.beginArray() }
        #expect(throws: JSONError(offset: 1, reason: .notUnsigned)) { try reader.readUnsigned() }
        #expect(throws: JSONError(offset: 1, reason: .notBool)) { try reader.readBool() }
        #expect(throws: JSONError(offset: 1, reason: .notNull)) { try reader.readNull() }
        #expect(try reader.readString() == bytes("a"))
        #expect(reader.hasNext() == true)
        #expect(throws: JSONError(offset: 5, reason: .notUnsigned)) { try reader.readUnsigned() }
        #expect(throws: JSONError(offset: 5, reason: .notString)) { try reader.readString() }
        #expect(try reader.readValue() == bytes("-1"))
        #expect(reader.hasNext() == false)
    }

    @Test(arguments: ["18446744073709551616", "1.0", "1e3", "-0", "true", "\"1\""])
    func `only a whole number that fits is unsigned`(text: String) throws {
        var reader = try JSONReader(bytes(text))
        #expect(throws: JSONError(offset: 0, reason: .notUnsigned)) { try reader.readUnsigned() }
    }

    @Test(arguments: [
        ("", JSONError.Reason.endsEarly), ("{\"a\":1", .endsEarly), ("{\"a\":1, \"\\u0061\" : 2}", .duplicateKey),
        ("\"\\ud800\"", .loneSurrogate), ("\"\0\"", .controlCharacter), ("\u{feff}{}", .byteOrderMark),
        ("{} x", .trailingBytes),
    ])
    func `a text that is not one valid value is refused before anything is read`(text: String, reason: JSONError.Reason)
    {
        do throws(JSONError) {
            _ = try JSONReader(bytes(text))
            Issue.record("accepted \(text)")
        } catch {
            #expect(error.reason == reason)
        }
    }

    @Test func `a value may nest 32 deep inside an outer object, and no deeper`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            bytes(
                "{\"data\":{\"k\":" + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}}"
            )
        }
        for depth in [32, 33] {
            var reader = try JSONReader(nested(depth))
            try reader.beginObject()
            _ = reader.nextKey()
            try reader.beginObject()
            _ = reader.nextKey()
            if depth == 32 {
                #expect(try reader.readValue().count == 64)
            } else {
                #expect(throws: JSONError(offset: 13 + 32, reason: .tooDeep(depthMax: 32))) { try reader.readValue() }
            }
        }
    }

    @Test(.timeLimit(.minutes(5))) func `hostile texts end in linear time`() throws {
        let marks = String(repeating: "\u{301}", count: 200_000)
        var reader = try JSONReader(bytes("{\"\(marks)\": \"\(marks)\"}"))
        try reader.beginObject()
        #expect(reader.nextKey() == bytes(marks))
        #expect(try reader.readValue() == bytes(marks))
        #expect(throws: JSONError(offset: 64, reason: .tooDeep(depthMax: 64))) {
            _ = try JSONReader(bytes(String(repeating: "[", count: 10_000))).offset
        }
        let keys = (0..<200_000).map { " \"\($0)\" : [ ]" }
        var many = try JSONReader(bytes("{" + keys.joined(separator: ",") + "}"))
        try many.beginObject()
        var count = 0
        while many.nextKey() != nil {
            count += 1
            try many.skipValue()
        }
        #expect(count == 200_000)
    }
}
