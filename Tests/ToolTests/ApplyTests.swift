import Foundation
import Rootfast
import Testing

@Suite struct ApplyTests {
    private static let historyRoot = "8a4ddc60113a4aa8104980c226a2ffdf50a37dac94730943aca1a89106187891"
    private static let history = Fixture.path("git-history/transactions.jsonl")

    @Test func `a project's history gives the known root and state`() throws {
        let tool = try Tool()
        let run = try tool.run("apply", tool.store, Self.history)
        #expect(run.status == 0)
        #expect(run.err.contains("made a new store"))
        #expect(try tool.root() == Self.historyRoot)
        let scan = try tool.run("scan", tool.store)
        #expect(try Fixture.state(scan) == Fixture.json("git-history/state.json"))
        #expect(try tool.run("check", tool.store).lines.first == "sound")
    }

    @Test func `a second run skips what is committed and changes nothing`() throws {
        let tool = try Tool()
        try tool.run("apply", tool.store, Self.history)
        let again = try tool.run("apply", tool.store, Self.history, "--json")
        #expect(again.json["applied"] as? Int == 0)
        #expect(again.json["skipped"] as? Int == 1691)
        #expect(again.json["created"] as? Bool == false)
        #expect(again.json["sequence"] as? Int == 1691)
        #expect(again.json["root"] as? String == Self.historyRoot)
    }

    @Test func `a run that was killed is finished by the same command`() throws {
        let tool = try Tool()
        let lines = try Fixture.text("git-history/transactions.jsonl").split(separator: "\n")
        let writer = try LiveWriter(tool)
        var acknowledged: [String] = []
        for line in lines.prefix(100) {
            writer.feed(String(line))
            acknowledged.append(writer.acknowledgement() ?? "")
        }
        for line in lines[100..<200] { writer.feed(String(line)) }
        #expect(writer.kill() == 128 + SIGKILL)
        #expect(acknowledged.last == "ack 100 \(try id(lines[99]))")
        let check = try tool.run("check", tool.store)
        #expect(check.status == 0 || check.status == 3)
        let status = try tool.run("status", tool.store, "--json")
        #expect(status.json["sequence"] as? Int ?? 0 >= 100)
        #expect(try tool.run("apply", tool.store, Self.history).status == 0)
        #expect(try tool.root() == Self.historyRoot)
    }

    private func id(_ line: Substring) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return object?["tx_id"] as? String ?? ""
    }

    @Test func `many writers give up the order and lose nothing`() throws {
        let tool = try Tool()
        let input = (0..<500).map { #"{"tx_id":"t\#($0)","data":{"key \#($0)":\#($0)}}"# }.joined(separator: "\n")
        #expect(try tool.run("apply", tool.store, "--writers", "16", input: input).status == 0)
        let root = try tool.root()
        #expect(try tool.run("status", tool.store, "--json").json["count"] as? Int == 500)
        let again = try tool.run("apply", tool.store, "--writers", "4", "--json", input: input)
        #expect(again.json["skipped"] as? Int == 500)
        #expect(again.json["root"] as? String == root)
    }

    @Test(arguments: ["1", "8"]) func `many writers stop at a bad line`(writers: String) throws {
        let tool = try Tool()
        let good = (0..<50).map { #"{"data":{"before \#($0)":1}}"# }
        let input = (good + ["nonsense"] + (0..<50).map { #"{"data":{"after \#($0)":1}}"# }).joined(separator: "\n")
        let run = try tool.run("apply", tool.store, "--writers", writers, "--json", input: input)
        #expect(run.status == 1)
        #expect(run.error["line"] as? Int == 51)
        #expect(try tool.run("scan", tool.store, "--prefix", "before").lines.count == 50)
        #expect(try tool.run("scan", tool.store, "--prefix", "after").out.isEmpty)
    }

    @Test func `lines commit in their order`() throws {
        let tool = try Tool()
        let input = (0..<5000).map { #"{"data":{"last":\#($0),"key \#($0 % 7)":\#($0)}}"# }.joined(separator: "\n")
        let run = try tool.run("apply", tool.store, "--ack", input: input)
        #expect(run.status == 0)
        #expect(run.lines.dropLast() == (1...5000).map { "ack \($0) \($0)" }[...])
        #expect(try tool.run("get", tool.store, "last").text == "4999\n")
        #expect(try tool.run("get", tool.store, "key 0").text == "4998\n")
    }

    @Test(arguments: [
        #"{"tx_id":"x","data":{"a":1}"#, #"{"data":{"a":1}} {}"#, #"{"data":{}}"#, #"{"tx_id":"x"}"#, #"[]"#, "x",
        #"{"data":{"a":1,"a":2}}"#, #"{"data":{"a":1,"\u0061":2}}"#, #"{"data":{"a":1,"$YQ==":2}}"#,
        #"{"data":{"a":1},"data":{"b":1}}"#, #"{"data":{"":1}}"#, #"{"data":{"$!":1}}"#, #"{"data":{"$YR==":1}}"#,
        #"{"data":{"a":{"$base64":"!"}}}"#, #"{"data":{"a":{"$base64":1}}}"#, #"{"data":["a",1]}"#,
        #"{"data":{"a":{"b":1,"b":2}}}"#, #"{"data":{"a":01}}"#, #"{"data":{"a":+1}}"#, #"{"data":{"a":NaN}}"#,
        #"{"tx_id":1,"data":{"a":1}}"#, #"{"tx_id":"","data":{"a":1}}"#, #"{"tx_id":"~1","data":{"a":1}}"#,
        #"{"tx_id":"a\u0000b","data":{"a":1}}"#, #"{"tx_id":null,"data":{"a":1}}"#,
    ])
    func `a bad line is named, and nothing after it is applied`(bad: String) throws {
        let tool = try Tool()
        let input = #"{"tx_id":"one","data":{"first":1}}"# + "\n\n" + bad + "\n" + #"{"data":{"third":1}}"# + "\n"
        let run = try tool.run("apply", tool.store, input: input)
        #expect(run.status == 1)
        #expect(run.err.contains("line 3"))
        let scan = try tool.run("scan", tool.store)
        #expect(scan.lines == [#"{"key":"first","value":1}"#])
        let json = try tool.run("apply", tool.store, "--json", input: input)
        #expect(json.error["line"] as? Int == 3)
        #expect(json.error["code"] as? String == "bad_line")
    }

    @Test func `any valid spelling is taken, and what is no string is kept as its text`() throws {
        let tool = try Tool()
        let input = """
            { "timestamp" : {"any":[1]} , "data" : { "\\u0061" : { "x" : [ 1 , "a b" , 2.50 ] } , "b":"\\ud83d\\ude00\\/",\t"n":1e999 } }\r
            {"data":{"$/w==":{"$base64":"AP8="},"$JGE=":"$b","t":true,"nul":"\\u0000","empty":"","e64":{"$base64":""}}}
            {"data":{"t":null,"never":null,"null":"null","big":123456789012345678901234567890}}
            """
        #expect(try tool.run("apply", tool.store, input: input).status == 0)
        #expect(
            try tool.run("scan", tool.store).lines == [
                #"{"key":"$JGE=","value":"$b"}"#, #"{"key":"a","value":{"x":[1,"a b",2.50]}}"#,
                #"{"key":"b","value":"😀/"}"#, #"{"key":"big","value":123456789012345678901234567890}"#,
                #"{"key":"e64","value":""}"#, #"{"key":"empty","value":""}"#, #"{"key":"n","value":1e999}"#,
                #"{"key":"nul","value":"\u0000"}"#, #"{"key":"null","value":"null"}"#,
                #"{"key":"$/w==","value":{"$base64":"AP8="}}"#,
            ])
    }

    @Test func `an id that is aborted or in doubt is an error, and nothing after it is applied`() throws {
        let tool = try Tool()
        let store = try Store.open(tool.store, mode: .createIfMissing)
        _ = try store.prepare("doubtful") { try $0.put("locked", "1") }
        _ = try store.prepare("given up") { try $0.put("a", "1") }
        try store.abort("given up")
        try store.close()
        for (id, word) in [("doubtful", "in doubt"), ("given up", "aborted")] {
            let input =
                #"{"data":{"before":1}}"# + "\n" + #"{"tx_id":"\#(id)","data":{"b":1}}"# + "\n" + #"{"data":{"c":1}}"#
            let run = try tool.run("apply", tool.store, input: input)
            #expect(run.status == 1)
            #expect(run.err.contains("Line 2") && run.err.contains(word))
        }
        let locked = #"{"data":{"before":2}}"# + "\n" + #"{"data":{"locked":2}}"# + "\n" + #"{"data":{"c":1}}"#
        let run = try tool.run("apply", tool.store, "--json", input: locked)
        #expect(run.error["code"] as? String == "locked_by_in_doubt")
        #expect(run.error["line"] as? Int == 2)
        #expect(try tool.run("scan", tool.store).lines == [#"{"key":"before","value":2}"#])
    }

    /// It was told only when more input came.
    @Test(arguments: [[], ["--writers", "4"]])
    func `what fails is told while input may still come`(options: [String]) throws {
        let tool = try Tool()
        let store = try Store.open(tool.store, mode: .createIfMissing)
        _ = try store.prepare("doubtful") { try $0.put("locked", "1") }
        try store.close()
        let writer = try LiveWriter(tool, ["apply", tool.store, "--ack"] + options)
        #expect(writer.commit(#"{"data":{"free":1}}"#)?.hasPrefix("ack ") == true)
        writer.feed(#"{"data":{"locked":1}}"#)
        try #require(writer.answers(within: 30))
        #expect(writer.acknowledgement() == nil && writer.finish() == 1)
        #expect(try String(contentsOfFile: tool.folder + "/writer.err", encoding: .utf8).contains("Line 2"))
    }

    @Test func `an id that stands twice in one input is applied once`() throws {
        let tool = try Tool()
        let input = #"{"tx_id":"x","data":{"a":1}}"# + "\n" + #"{"tx_id":"x","data":{"a":2}}"#
        let run = try tool.run("apply", tool.store, "--json", input: input)
        #expect(run.json["applied"] as? Int == 1)
        #expect(run.json["skipped"] as? Int == 1)
        #expect(try tool.run("get", tool.store, "a").text == "1\n")
    }

    @Test func `acknowledgements that nobody reads do not keep lines from being applied`() throws {
        let tool = try Tool()
        let script = #"{ "$0" apply "$1" --ack "$2"; echo "status $?" >&2; } | head -n 1"#
        let run = try tool.run(program: "/bin/sh", ["-c", script, Tool.path, tool.store, Self.history])
        #expect(run.lines.count == 1)
        #expect(run.err.hasSuffix("status 0\n"))
        #expect(try tool.root() == Self.historyRoot)
    }

    @Test func `a missing file or a folder for input makes no store`() throws {
        let tool = try Tool()
        for input in [tool.folder + "/none", tool.folder] {
            let run = try tool.run("apply", tool.store, input, "--json")
            #expect(run.status == 1)
            #expect(run.error["file"] as? String == input)
        }
        #expect(!FileManager.default.fileExists(atPath: tool.store))
    }
}
