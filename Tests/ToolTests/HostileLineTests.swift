import Testing

/// Input that is made to do harm: a clear error in linear time and bounded memory, whatever it is.
@Suite struct HostileLineTests {
    /// Applies one hostile line between two good ones; only the first may take effect.
    private func refuse(_ line: String, saying words: String, memoryKiBMax: Int = 200 << 10) throws {
        let tool = try Tool()
        let input = #"{"data":{"first":1}}"# + "\n" + line + "\n" + #"{"data":{"third":1}}"# + "\n"
        let run = try tool.run(["apply", tool.store], input: input, memoryKiBMax: memoryKiBMax)
        #expect(run.status == 1)
        #expect(run.err.contains(words) && run.err.contains("line 2"), "\(run.err.prefix(300))")
        #expect(run.err.utf8.count < 1000)
        #expect(try tool.run("scan", tool.store).lines == [#"{"key":"first","value":1}"#])
    }

    @Test func `a key of 400 KB of combining marks`() throws {
        let marks = String(repeating: "\u{301}", count: 200_000)
        try refuse(#"{"data":{"e\#(marks)":1}}"#, saying: "A key has 1 to 1024 bytes")
    }

    @Test func `many long members of combining marks`() throws {
        let marks = String(repeating: "\u{301}\u{323}", count: 50_000)
        try refuse(#"{"\#(marks)":1,"\#(marks)a":2,"data":{"k":"\#(marks)","k":2}}"#, saying: "twice")
    }

    @Test func `objects and arrays 10,000 deep`() throws {
        let arrays = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
        try refuse(#"{"data":{"k":\#(arrays)}}"#, saying: "deeper")
        let objects = String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000)
        try refuse(#"{"data":{"k":1},"other":\#(objects)}"#, saying: "deeper")
        let value = String(repeating: "[", count: 33) + String(repeating: "]", count: 33)
        try refuse(#"{"data":{"k":\#(value)}}"#, saying: "deeper")
    }

    @Test func `duplicate keys among 100,000`() throws {
        let members = (0..<100_000).map { #""k\#($0)":1"# }.joined(separator: ",")
        try refuse(#"{"data":{\#(members),"k77777":2}}"#, saying: "twice")
    }

    @Test(arguments: [#"\ud800"#, #"\udc00"#, #"\ud800\u0041"#, #"\ud800\ud800"#])
    func `lone surrogates`(escape: String) throws {
        try refuse(#"{"data":{"k":"\#(escape)"}}"#, saying: "surrogate")
        try refuse(#"{"data":{"\#(escape)":1}}"#, saying: "surrogate")
        try refuse(#"{"data":{"k":[{"x":"\#(escape)"}]}}"#, saying: "surrogate")
    }

    @Test func `raw NUL, byte-order mark and bytes that are not UTF-8`() throws {
        try refuse("{\"data\":{\"k\":\"a\u{0}b\"}}", saying: "control character")
        try refuse("\u{0}", saying: "missing")
        try refuse("\u{feff}{\"data\":{\"k\":1}}", saying: "byte-order mark")
        let tool = try Tool()
        let input = Array(#"{"data":{"k":""#.utf8) + [0xff] + Array(#""}}"#.utf8)
        let run = try tool.run(program: Tool.path, ["apply", tool.store, "-"], input: input)
        #expect(run.status == 1)
        #expect(run.err.contains("not UTF-8"))
    }

    @Test func `a value and a transaction beyond the limits`() throws {
        let long = String(repeating: "a", count: (16 << 20) + 1)
        try refuse(#"{"data":{"k":"\#(long)"}}"#, saying: "A value is longer", memoryKiBMax: 400 << 10)
        // Each value is within its limit, the line within its own, and the record six times as long: too large only
        // once it is encoded.
        let tool = try Tool()
        let escapes = String(repeating: #"\n"#, count: 6 << 20)
        let line = #"{"data":{"a":"\#(escapes)","b":"\#(escapes)","c":"\#(escapes)"}}"#
        let run = try tool.run(
            "apply", tool.store, "--json", input: #"{"data":{"first":1}}"# + "\n" + line + "\n" + #"{"data":{"z":1}}"#)
        #expect(run.status == 1)
        #expect(run.error["code"] as? String == "too_large")
        #expect(run.error["line"] as? Int == 2)
        #expect(try tool.run("scan", tool.store).lines == [#"{"key":"first","value":1}"#])
    }

    @Test(arguments: ["apply", "import"]) func `a line of 1 GB`(command: String) throws {
        let tool = try Tool()
        let script =
            #"{ echo '{"data":{"first":1}}'; head -c 1073741824 /dev/zero | tr '\0' a; } | { ulimit -v 400000; exec "$0" "$1" "$2" -; }"#
        let run = try tool.run(program: "/bin/sh", ["-c", script, Tool.path, command, tool.store])
        if command == "apply" {
            #expect(run.status == 1)
            #expect(run.err.contains("line 2"))
        } else {
            #expect(run.status == 3)
            #expect(run.text.contains("unreadable 2 (line 1, 2)"))
        }
    }
}
