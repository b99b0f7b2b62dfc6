import Foundation
import Testing

@Suite struct SessionTests {
    /// What a session answers to lines that are there from the start.
    private func answers(_ tool: Tool, _ options: [String] = [], _ lines: [String]) throws -> [Answered] {
        let input = lines.map { $0 + "\n" }.joined()
        let run = try tool.run(program: Tool.path, ["session", tool.store] + options, input: Array(input.utf8))
        #expect(run.status == 0, "\(run.err)")
        return try run.lines.map(Answered.init)
    }

    /// A line of a session.
    private struct Answered {
        let members: [String: Any]

        init(_ line: String) throws {
            members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(members["schema"] as? Int == 1)
        }

        var operation: String? { members["op"] as? String }
        var sequence: Int? { members["sequence"] as? Int }
        var error: String? { (members["error"] as? [String: Any])?["code"] as? String }
        var value: Any? { members["value"] }
        var entries: [String: Any] {
            let entries = members["entries"] as? [[String: Any]] ?? []
            return Dictionary(uniqueKeysWithValues: entries.map { ($0["key"] as? String ?? "", $0["value"] ?? "") })
        }
    }

    /// It was told in text.
    @Test func `a session that cannot begin says so in JSON`() throws {
        let tool = try Tool()
        let file = try tool.file("plain", "")
        for (arguments, status) in [([file], 10), ([], 64), ([file, "--bogus"], 64)] as [([String], Int32)] {
            let run = try tool.run(program: Tool.path, ["session"] + arguments)
            #expect(run.status == status && run.err.isEmpty, "\(run.status): \(run.err)")
            #expect(run.error["message"] is String)
        }
        #expect(try tool.run("session", "--help").text.hasPrefix("OVERVIEW"))
    }

    // MARK: - Transactions

    @Test func `of two open transactions that read what the other changes, the second to commit gets a conflict`()
        throws
    {
        let tool = try Tool()
        let told = try answers(
            tool, [],
            [
                #"{"op":"write","data":{"a":1,"b":1}}"#, #"{"op":"begin","tx":"x"}"#, #"{"op":"begin","tx":"y"}"#,
                #"{"op":"get","tx":"x","key":"a"}"#, #"{"op":"scan","tx":"y","from":"b"}"#,
                #"{"op":"put","tx":"x","key":"b","value":2}"#, #"{"op":"put","tx":"y","key":"a","value":2}"#,
                #"{"op":"get","tx":"y","key":"a"}"#, #"{"op":"get","key":"a"}"#,
                #"{"op":"commit","tx":"x","tx_id":"x"}"#, #"{"op":"commit","tx":"y"}"#, #"{"op":"scan"}"#,
            ])
        #expect(told.map(\.error) == Array(repeating: nil, count: 10) + ["conflict", nil])
        #expect(told[3].value as? Int == 1 && told[4].entries as? [String: Int] == ["b": 1])
        // A transaction sees its own changes, and nobody else does.
        #expect(told[7].value as? Int == 2 && told[8].value as? Int == 1)
        #expect(told[9].sequence == 2)
        #expect(told[11].entries as? [String: Int] == ["a": 1, "b": 2])
        #expect(try tool.root() == told[9].members["root"] as? String)
    }

    @Test func `an open transaction ends with commit, prepare and rollback, and its name is free again`() throws {
        let tool = try Tool()
        for end in [
            #"{"op":"commit","tx":"x"}"#, #"{"op":"prepare","tx":"x","tx_id":"vote"}"#, #"{"op":"rollback","tx":"x"}"#,
            #"{"op":"prepare","tx":"x","tx_id":"vote"}"#,
        ] {
            let told = try answers(
                tool, [],
                [
                    #"{"op":"begin","tx":"x"}"#, #"{"op":"begin","tx":"x"}"#,
                    #"{"op":"put","tx":"x","key":"k","value":1}"#,
                    end, #"{"op":"put","tx":"x","key":"k","value":1}"#, #"{"op":"begin","tx":"x"}"#,
                ])
            #expect([told[1], told[4]].map(\.error) == ["already_open", "not_open"])
            #expect(told[5].error == nil)
        }
    }

    @Test func `what one line reads and changes is one transaction`() throws {
        let told = try answers(
            Tool(), [],
            [
                #"{"op":"write","tx_id":"t","data":{"a":1,"b":{"$base64":"AP8="},"$/w==":[]}}"#,
                #"{"op":"write","data":{"a":null,"c":"x"},"reads":["a",["b",null]]}"#,
                #"{"op":"scan","reverse":true,"limit":2}"#,
                #"{"op":"outcome","tx_id":"t"}"#, #"{"op":"write","tx_id":"t","data":{"a":2}}"#,
            ])
        #expect(told[1].sequence == 2 && Set(told[1].entries.keys) == ["a", "b", "$/w=="])
        #expect(Set(told[2].entries.keys) == ["$/w==", "c"])
        #expect(told[3].members["outcome"] as? String == "committed" && told[3].sequence == 1)
        #expect(told[4].error == "duplicate_id")
    }

    // MARK: - Durability

    @Test func `a vote that was answered survives a kill, keeps its keys locked, and the next session decides it`()
        throws
    {
        let tool = try Tool()
        let session = try LiveWriter(tool, ["session", tool.store])
        _ = session.commit(#"{"op":"write","data":{"k":1,"m":1}}"#)
        let vote = #"{"op":"prepare","tx_id":"v","data":{"k":2},"reads":["m"]}"#
        #expect(try Answered(#require(session.commit(vote))).members["outcome"] as? String == "in_doubt")
        #expect(session.kill() == 128 + SIGKILL)
        let told = try answers(
            tool, [],
            [
                #"{"op":"write","data":{"k":3}}"#, #"{"op":"write","data":{"m":3}}"#, #"{"op":"get","key":"k"}"#,
                #"{"op":"in_doubt"}"#, #"{"op":"decide","tx_id":"v","commit":true}"#,
                #"{"op":"decide","tx_id":"v","commit":true}"#, #"{"op":"decide","tx_id":"v","commit":false}"#,
                #"{"op":"decide","tx_id":"w","commit":true}"#, #"{"op":"get","key":"k"}"#,
            ])
        #expect(told[0...1].map(\.error) == ["locked_by_in_doubt", "locked_by_in_doubt"])
        #expect(told[2].value as? Int == 1 && (told[3].members["in_doubt"] as? [Any])?.count == 1)
        #expect(told[4...5].map(\.sequence) == [2, 2])
        #expect(told[6...7].map(\.error) == ["already_decided", "no_such_transaction"])
        #expect(told[8].value as? Int == 2)
    }

    @Test func `each line is answered at once, and what was answered is there after a kill`() throws {
        let tool = try Tool()
        for round in 1...8 {
            let session = try LiveWriter(tool, ["session", tool.store])
            #expect(try Answered(#require(session.commit(#"{"op":"begin","tx":"x"}"#))).error == nil)
            _ = session.commit(#"{"op":"put","tx":"x","key":"k\#(round)","value":\#(round)}"#)
            #expect(try Answered(#require(session.commit(#"{"op":"commit","tx":"x"}"#))).sequence == round)
            _ = session.commit(#"{"op":"begin","tx":"lost"}"#)
            _ = session.commit(#"{"op":"put","tx":"lost","key":"lost","value":1}"#)
            #expect(session.kill() == 128 + SIGKILL)
        }
        #expect(try answers(tool, [], [#"{"op":"scan"}"#])[0].entries.count == 8)
    }

    @Test func `at the end of the input what is open is given up, and the store is closed`() throws {
        let tool = try Tool()
        let input =
            #"{"op":"begin","tx":"x"}"# + "\n" + #"{"op":"put","tx":"x","key":"k","value":1}"# + "\n" + #"{"op":"commi"#
        let run = try tool.run("session", tool.store, input: input)
        #expect(run.status == 0 && run.lines.count == 3)
        #expect(try Answered(run.lines[2]).error == "bad_request")
        let check = try tool.run("check", tool.store, "--json")
        #expect(check.json["closed"] as? Bool == true && check.json["sequence"] as? Int == 0)
    }

    @Test func `close is answered when the store is closed, and is the end`() throws {
        let tool = try Tool()
        let told = try answers(tool, [], [#"{"op":"write","data":{"k":1}}"#, #"{"op":"close"}"#, #"{"op":"root"}"#])
        #expect(told.map(\.operation) == ["write", "close"])
        #expect(try tool.run("check", tool.store, "--json").json["closed"] as? Bool == true)
    }

    @Test func `a store that is open elsewhere is left alone`() throws {
        let tool = try Tool()
        let session = try LiveWriter(tool, ["session", tool.store])
        _ = session.commit(#"{"op":"root"}"#)
        let other = try tool.run("session", tool.store, "--json", input: #"{"op":"root"}"#)
        #expect(other.status == 11 && other.error["code"] as? String == "locked")
        #expect(session.finish() == 0)
    }

    // MARK: - Maintenance and history

    @Test func `earlier states are read, snapshots are taken, and a dry run of retention equals the run`() throws {
        let tool = try Tool()
        let writes = (1...4).map { #"{"op":"write","data":{"k":\#($0)}}"# }
        let maintenance = (1...4).flatMap { ["{\"op\":\"write\",\"data\":{\"m\":\($0)}}", #"{"op":"snapshot"}"#] }
        let options = ["--manual", "--snapshots", "1", "--segments", "0", "--grace", "0"]
        let told = try answers(
            tool, options,
            writes + [#"{"op":"get","key":"k","sequence":2}"#, #"{"op":"root","sequence":9}"#] + maintenance
                + [
                    #"{"op":"retain","dry_run":true}"#, #"{"op":"retain"}"#, #"{"op":"retain"}"#,
                    #"{"op":"get","key":"k","sequence":2}"#, #"{"op":"snapshots"}"#, #"{"op":"check"}"#,
                    #"{"op":"seal"}"#,
                    #"{"op":"compact"}"#, #"{"op":"status"}"#, #"{"op":"flush"}"#,
                ])
        #expect(told[4].value as? Int == 2 && told[5].error == "invalid_argument")
        let (dry, run) = (told[14].members["decisions"] as? NSArray, told[15].members["decisions"] as? NSArray)
        #expect(dry == run && dry?.count ?? 0 > 4)
        #expect(told[17].error == "not_retained")
        #expect((told[18].members["snapshots"] as? [Any])?.count == 2)
        #expect(told[19].members["verdict"] as? String == "sound")
        #expect(told[20...].allSatisfy { $0.error == nil })
    }

    // MARK: - What is no request

    @Test(arguments: [
        ("", "bad_request"), ("nonsense", "bad_request"), ("[]", "bad_request"), ("{}", "bad_request"),
        (#"{"op":1}"#, "bad_request"), (#"{"op":"fly"}"#, "unknown_operation"),
        (#"{"op":"root","op":"root"}"#, "bad_request"),
        (#"{"op":"root"} {"op":"root"}"#, "bad_request"), (#"{"op":"root","tx":"x"}"#, "bad_request"),
        (#"{"op":"root","speed":1}"#, "bad_request"), (#"{"op":"root","sequence":-1}"#, "bad_request"),
        (#"{"op":"root","sequence":18446744073709551616}"#, "bad_request"),
        (#"{"op":"root","sequence":1}"#, "invalid_argument"),
        (#"{"op":"get"}"#, "bad_request"), (#"{"op":"get","key":1}"#, "bad_request"),
        (#"{"op":"get","key":""}"#, "bad_request"),
        (#"{"op":"get","key":"$!"}"#, "bad_request"), (#"{"op":"get","key":"\ud800"}"#, "bad_request"),
        (#"{"op":"get","key":"k","tx":"none"}"#, "not_open"),
        (#"{"op":"get","key":"k","tx":"none","sequence":0}"#, "bad_request"),
        (#"{"op":"scan","limit":-1}"#, "bad_request"), (#"{"op":"scan","reverse":1}"#, "bad_request"),
        (#"{"op":"begin","tx":""}"#, "bad_request"), (#"{"op":"put","tx":"none","key":"k","value":1}"#, "not_open"),
        (#"{"op":"put","tx":"none","key":"k","value":null}"#, "bad_request"),
        (#"{"op":"put","key":"k","value":1}"#, "bad_request"),
        (#"{"op":"write","data":{"k":{"$base64":"!"}}}"#, "bad_request"),
        (#"{"op":"write","data":{"a":1,"$YQ==":2}}"#, "bad_request"),
        (#"{"op":"write","data":{"a":1},"reads":"a"}"#, "bad_request"),
        (#"{"op":"write","data":{"a":1},"reads":[["a"]]}"#, "bad_request"),
        (#"{"op":"write","data":{"a":1},"reads":[["a","b","c"]]}"#, "bad_request"),
        (#"{"op":"write","data":{"a":1},"tx_id":"~1"}"#, "invalid_argument"),
        (#"{"op":"prepare","tx_id":"v"}"#, "bad_request"),
        (#"{"op":"prepare","tx_id":"v","tx":"none","data":{}}"#, "bad_request"),
        (#"{"op":"decide","tx_id":"v"}"#, "bad_request"),
        (#"{"op":"decide","tx_id":"v","commit":true,"reason":"r"}"#, "bad_request"),
        (#"{"op":"decide","tx_id":"v","commit":false}"#, "no_such_transaction"),
        (#"{"op":"outcome","tx_id":""}"#, "invalid_argument"),
    ])
    func `a line that cannot be done is answered with an error, and the session goes on`(line: String, code: String)
        throws
    {
        let tool = try Tool()
        let told = try answers(tool, [], [line, #"{"op":"write","data":{"k":1}}"#])
        #expect(told.map(\.error) == [code, nil])
        #expect(told[1].sequence == 1)
    }

    @Test func `a line of 100 MB is answered in bounded memory, and the session goes on`() throws {
        let tool = try Tool()
        let script =
            #"{ head -c 100000000 /dev/zero | tr '\0' a; echo; echo '{"op":"root"}'; } | { ulimit -v 400000; exec "$0" session "$1"; }"#
        let run = try tool.run(program: "/bin/sh", ["-c", script, Tool.path, tool.store])
        #expect(run.status == 0)
        #expect(try run.lines.map { try Answered($0).error } == ["line_too_long", nil])
    }

    @Test func `bytes that are not UTF-8 are answered with an error`() throws {
        let tool = try Tool()
        let input = [0xff, 0x0a, 0x00, 0x0a] + Array("{\"op\":\"root\"}".utf8)
        let run = try tool.run(program: Tool.path, ["session", tool.store], input: input)
        #expect(try run.lines.map { try Answered($0).error } == ["bad_request", "bad_request", nil])
    }

    @Test func `at most 1024 transactions are open at a time`() throws {
        let told = try answers(Tool(), [], (0...1024).map { #"{"op":"begin","tx":"\#($0)"}"# })
        #expect(told.compactMap(\.error) == ["too_many_open"] && told.last?.error != nil)
    }
}
