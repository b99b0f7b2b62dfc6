import Foundation
import Rootfast
import Testing

@Suite struct CommandTests {
    private static func small() throws -> Tool {
        let tool = try Tool()
        try tool.run("apply", tool.store, input: #"{"tx_id":"one","data":{"a":{"x":1},"b":"text"}}"#)
        return tool
    }

    @Test func `every command on a store that is missing exits 10 and makes nothing`() throws {
        let tool = try Tool()
        let commands = [
            ["check"], ["status"], ["get", "k"], ["put", "k", "v"], ["delete", "k"], ["scan"], ["log"], ["root"],
            ["prove", "k"], ["in-doubt"], ["resolve", "x", "--commit"], ["compact"], ["compact", "--dry-run"],
            ["snapshots"], ["retain"], ["retain", "--dry-run"], ["seal"], ["export"], ["diff", "0"],
            ["backup", tool.folder + "/copy"], ["restore", tool.folder + "/copy"],
            ["salvage", "--to", tool.folder + "/copy"],
        ]
        for command in commands {
            for extra in [[], ["--json"]] {
                let arguments = [command[0], tool.store] + command.dropFirst() + extra
                let run = try tool.run(program: Tool.path, arguments)
                #expect(run.status == 10, "\(arguments)")
                if extra.isEmpty {
                    #expect(run.out.isEmpty && run.err.contains("There is no store here"))
                } else {
                    #expect(run.json["schema"] as? Int == 1)
                    #expect(run.error["code"] as? String == "no_store")
                    #expect(run.err.isEmpty)
                }
            }
        }
        #expect(!FileManager.default.fileExists(atPath: tool.store))
        #expect(!FileManager.default.fileExists(atPath: tool.folder + "/copy"))
    }

    @Test func `what is wrong with the arguments exits 64 and writes nothing`() throws {
        let tool = try Self.small()
        let before = try Tool.snapshot(of: tool.store)
        let commands = [
            ["bogus"], ["get", tool.store], ["get"], ["put", tool.store, "k"], ["get", tool.store, "$!"],
            ["put", tool.store, "k", "$!"], ["put", tool.store, "$YR==", "v"], ["put", tool.store, "", "v"],
            ["put", tool.store, String(repeating: "k", count: 1025), "v"],
            ["put", tool.store, "k", #"{"$base64":"!"}"#], ["scan", tool.store, "--prefix", "$!"],
            ["scan", tool.store, "--limit", "-1"], ["scan", tool.store, "--limit", "x"], ["resolve", tool.store, "x"],
            ["resolve", tool.store, "x", "--commit", "--abort"],
            ["resolve", tool.store, "x", "--commit", "--reason", "r"], ["apply", tool.store, "--writers", "0"],
            ["verify-proof", "x"], ["verify-proof", "x", "--root", "abc"], ["resolve", tool.store, "", "--commit"],
        ]
        for arguments in commands {
            let run = try tool.run(program: Tool.path, arguments)
            #expect(run.status == 64, "\(arguments)")
            #expect(run.out.isEmpty)
            let json = try tool.run(program: Tool.path, arguments + ["--json"])
            #expect(json.status == 64)
            #expect(json.json["schema"] as? Int == 1 && json.error["message"] != nil, "\(arguments)")
        }
        #expect(try Tool.snapshot(of: tool.store) == before)
    }

    @Test func `an argument that is not UTF-8 is refused, not mended`() throws {
        let tool = try Self.small()
        let script = #""$0" put "$1" "$(printf 'k\377')" v"#
        #expect(try tool.run(program: "/bin/sh", ["-c", script, Tool.path, tool.store]).status == 64)
        #expect(try tool.run("scan", tool.store).lines.count == 2)
    }

    @Test func `get, put and delete`() throws {
        let tool = try Self.small()
        #expect(try tool.run("get", tool.store, "a").text == #"{"x":1}"# + "\n")
        #expect(
            try tool.run("get", tool.store, "a", "--json").text == #"{"schema":1,"key":"a","value":{"x":1}}"# + "\n")
        #expect(try tool.run("get", tool.store, "none").status == 12)
        #expect(try tool.run("get", tool.store, "none", "--json").error["code"] as? String == "no_such_key")
        let put = try tool.run("put", tool.store, "c", "3", "--json")
        #expect(put.status == 0)
        #expect(put.json["sequence"] as? Int == 2)
        #expect(put.json["root"] as? String == (try tool.root()))
        #expect(try tool.run("delete", tool.store, "c").status == 0)
        #expect(try tool.run("delete", tool.store, "c").status == 12)
        #expect(try tool.run("status", tool.store, "--json").json["sequence"] as? Int == 3)
    }

    @Test(arguments: [
        ("$JGE=", "plain", #"{"schema":1,"key":"$JGE=","value":"plain"}"#),
        ("$YQ==", "$JGE=", #"{"schema":1,"key":"a","value":"$a"}"#),
        ("$/w==", "$AP8=", #"{"schema":1,"key":"$/w==","value":{"$base64":"AP8="}}"#),
        ("k", #"{"$base64":"e30="}"#, #"{"schema":1,"key":"k","value":{}}"#),
        ("k", #"{"a": 1}"#, #"{"schema":1,"key":"k","value":"{\"a\": 1}"}"#),
        ("k", #"{"$base64":"e30=","b":1}"#, #"{"schema":1,"key":"k","value":{"$base64":"e30=","b":1}}"#),
        ("é", "", #"{"schema":1,"key":"é","value":""}"#),
        ("e\u{301}", "null", "{\"schema\":1,\"key\":\"e\u{301}\",\"value\":\"null\"}"),
    ])
    func `keys and values are spelled as in the log`(key: String, value: String, answer: String) throws {
        let tool = try Self.small()
        #expect(try tool.run("put", tool.store, key, value).status == 0)
        #expect(try tool.run("get", tool.store, key, "--json").text == answer + "\n")
    }

    @Test func `get prints the value's bytes and a newline`() throws {
        let tool = try Self.small()
        try tool.run("put", tool.store, "k", "$AP8K")
        #expect(try tool.run("get", tool.store, "k").out == [0x00, 0xff, 0x0a, 0x0a])
    }

    /// Where input, output and errors were closed, files of the store were opened in their place, and what was printed went
    /// into the log.
    @Test func `a store is whole whatever descriptors are closed`() throws {
        let tool = try Tool()
        for (index, closed) in ["<&- >&- 2>&-", "<&- 2>&-", ">&- 2>&-", "2>&-", "<&- >&-"].enumerated() {
            let store = "\(tool.store)-\(index)"
            for command in ["init \(store)", "put \(store) a 1", "compact \(store)", "check \(store)"] {
                _ = try tool.run(program: "/bin/sh", ["-c", "\(Tool.path) \(command) \(closed)"])
            }
            #expect(try tool.runWell("check", store).lines.first == "sound", "\(closed)")
            #expect(try tool.runWell("get", store, "a").text == "1\n", "\(closed)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: store + "/lock")).isEmpty, "\(closed)")
        }
    }

    @Test func `init makes a store once`() throws {
        let tool = try Tool()
        let first = try tool.run("init", tool.store, "--json")
        #expect(first.status == 0 && first.json["created"] as? Bool == true)
        let second = try tool.run("init", tool.store, "--json")
        #expect(second.status == 0 && second.json["created"] as? Bool == false)
        #expect(first.json["store"] as? String == second.json["store"] as? String)
        #expect(try tool.run("check", tool.store).status == 0)
    }

    @Test func `root, status and log agree`() throws {
        let tool = try Self.small()
        let root = try tool.root()
        let status = try tool.run("status", tool.store, "--json")
        #expect(status.status == 0)
        #expect(status.json["root"] as? String == root)
        #expect(status.json["sequence"] as? Int == 1 && status.json["count"] as? Int == 2)
        let log = try tool.run("log", tool.store)
        let lines = try log.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
        #expect(lines.map { $0["op"] as? String } == ["SEGMENT", "PREPARE", "COMMIT"])
        #expect(lines.last?["root"] as? String == root)
        #expect(try tool.run("root", tool.store, "--json").json["root"] as? String == root)
    }

    @Test func `a transaction in doubt is listed, and resolved by hand`() throws {
        let tool = try Self.small()
        let store = try Store.open(tool.store)
        _ = try store.prepare("p 1") { try $0.put("held", "1") }
        _ = try store.prepare("p 2") { try $0.put("given up", "1") }
        try store.close()

        let list = try tool.run("in-doubt", tool.store, "--json")
        #expect(list.status == 3)
        #expect((list.json["in_doubt"] as? [[String: Any]])?.map { $0["tx_id"] as? String } == ["p 1", "p 2"])
        #expect(try tool.run("status", tool.store).status == 3)
        let check = try tool.run("check", tool.store)
        #expect(check.status == 3)
        #expect(check.lines.first == "sound, but wants attention: 2 transactions in doubt")
        #expect(check.text.contains("rootfast resolve --commit -- \(tool.store) 'p 1' (or --abort)"))

        #expect(
            try tool.run("resolve", tool.store, "p 1", "--commit", "--json").json["outcome"] as? String == "committed")
        #expect(try tool.run("resolve", tool.store, "p 1", "--commit").status == 0)
        #expect(try tool.run("resolve", tool.store, "p 1", "--abort").status == 1)
        #expect(try tool.run("resolve", tool.store, "p 2", "--abort", "--reason", "lost its coordinator").status == 0)
        #expect(try tool.run("resolve", tool.store, "p 3", "--commit").status == 12)
        #expect(try tool.run("get", tool.store, "held").status == 0)
        #expect(try tool.run("get", tool.store, "given up").status == 12)
        #expect(try tool.run("in-doubt", tool.store).status == 0)
        #expect(try tool.run("check", tool.store).status == 0)
        #expect(try tool.run("log", tool.store).text.contains("lost its coordinator"))
    }

    @Test func `a torn tail is 3, damage is 2, each with its place, and reading changes neither`() throws {
        let tool = try Self.small()
        try tool.run("put", tool.store, "c", "3")
        let log = URL(fileURLWithPath: tool.store + "/log/0000000001.jsonl")
        let whole = try Data(contentsOf: log)
        let manifest = URL(fileURLWithPath: tool.store + "/store.json")
        let closed = try Data(contentsOf: manifest)

        try whole.dropLast(10).write(to: log)
        let cut = try tool.run("check", tool.store, "--json")
        #expect(cut.status == 2, "a clean close was recorded, so its last flush is known to be missing")

        // As after a kill: a store that was opened for writing and not closed.
        let open = String(decoding: closed, as: UTF8.self).replacing(#/,"n":[0-9]+,"chain":"[0-9a-f]+"/#, with: "")
        try #require(open.utf8.count < closed.count)
        try Data(open.utf8).write(to: manifest)
        let before = try Tool.snapshot(of: tool.store)
        let torn = try tool.run("check", tool.store)
        #expect(torn.status == 3)
        #expect(torn.lines.first == "sound, but wants attention: a torn tail")
        #expect(try tool.run("status", tool.store).status == 3)
        #expect(try tool.run("get", tool.store, "a").status == 0)
        #expect(try Tool.snapshot(of: tool.store) == before)

        var flipped = whole
        flipped[whole.count / 2] ^= 1
        try flipped.write(to: log)
        try closed.write(to: manifest)
        let damaged = try tool.run("check", tool.store)
        #expect(damaged.status == 2)
        #expect(damaged.lines.first?.hasPrefix("DAMAGED: ") == true)
        #expect(damaged.text.contains("file      log/0000000001.jsonl") && damaged.text.contains("offset"))
        #expect(damaged.text.contains("next      cp -a"))
        let json = try tool.run("check", tool.store, "--json")
        #expect((json.json["damage"] as? [String: Any])?["file"] as? String == "log/0000000001.jsonl")
        #expect(try tool.run("get", tool.store, "a").status == 2)
        #expect(try tool.run("put", tool.store, "a", "1", "--json").error["code"] as? String == "corrupt")
    }

    /// They were read as options.
    @Test func `the commands that check proposes are right for names that begin with a dash`() throws {
        let tool = try Tool()
        let store = try Store.open(tool.folder + "/-store", mode: .createIfMissing)
        _ = try store.prepare("-1") { try $0.put("held", "1") }
        try store.close()
        let there = "cd '\(tool.folder)'"
        let next = try tool.run(["check", "--json", "--", "-store"], after: there).json["next"] as? [String]
        let command = try #require(next?.first).replacing(" (or --abort)", with: "")
        let run = try tool.run([], after: "\(there); rootfast() { \"$0\" \"$@\"; }; \(command); exit $?")
        #expect(run.status == 0 && run.text.hasPrefix("committed 1"), "\(command): \(run.err)")

        try Data("x".utf8).write(to: URL(fileURLWithPath: tool.folder + "/-store/log/0000000001.jsonl"))
        let damaged = try tool.run(["check", "--json", "--", "-store"], after: there)
        #expect((damaged.json["next"] as? [String])?.last == "rootfast log -- -store")
    }

    /// It was 0: that nobody reads on was taken for the end of it.
    @Test func `a verdict is the exit code also if nobody reads what is printed`() throws {
        let tool = try Self.small()
        let copy = tool.folder + "/copy"
        func expectUnread(_ status: Int32, _ command: String...) throws {
            for extra in [[], ["--json"]] {
                #expect(try tool.runUnread(command + extra) == status, "\(command + extra)")
                try? FileManager.default.removeItem(atPath: copy)
            }
        }
        for command in ["check", "status", "in-doubt", "scan"] { try expectUnread(0, command, tool.store) }
        try expectUnread(3, "import", copy, Fixture.path("rvc-v2-forms/wal.log"))

        let store = try Store.open(tool.store)
        _ = try store.prepare("p 1") { try $0.put("held", "1") }
        try store.close()
        for command in ["check", "status", "in-doubt"] { try expectUnread(3, command, tool.store) }

        let log = URL(fileURLWithPath: tool.store + "/log/0000000001.jsonl")
        var bytes = try Data(contentsOf: log)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: log)
        try expectUnread(2, "check", tool.store)
        try expectUnread(3, "salvage", tool.store, "--to", copy)
    }

    @Test func `what cannot be written to is an error`() throws {
        let tool = try Self.small()
        let run = try tool.run(program: "/bin/sh", ["-c", #""$0" scan "$1" >/dev/full"#, Tool.path, tool.store])
        #expect(run.status == 1)
        #expect(run.err.contains("Standard output"))
    }
}
