import Foundation
import Rootfast
import Testing

@Suite struct MaintenanceCommandTests {
    // MARK: - Snapshots

    @Test func `a compacted store goes on from its snapshot, with the same root`() throws {
        let tool = try Tool()
        let history = try History.filled(30, in: tool)
        let root = try tool.root()
        let preview = try tool.runWell("compact", tool.store, "--dry-run", "--json")
        #expect(preview.json["dry_run"] as? Bool == true && preview.json["commits"] as? Int == 30)
        let report = try tool.runWell("compact", tool.store, "--json")
        let snapshot = try #require(report.json["snapshot"] as? [String: Any])
        #expect(snapshot["sequence"] as? Int == 30 && snapshot["pages"] as? Int ?? 0 > 0)
        let status = try tool.runWell("status", tool.store, "--json").json
        #expect(status["root"] as? String == root)
        #expect(status["snapshot"] as? [String: Int] == ["id": snapshot["id"] as? Int ?? 0, "sequence": 30])
        #expect(try tool.runWell("status", tool.store).lines.contains("snapshot  1, of sequence 30"))
        #expect(try tool.runWell("scan", tool.store).lines == history.scan(at: 30))
        #expect(try tool.runWell("check", tool.store).lines.first == "sound")
        let after = try tool.runWell("compact", tool.store, "--dry-run", "--json").json
        #expect(after["commits"] as? Int == 0 && after["log_bytes"] as? Int ?? .max < 1000)
    }

    @Test func `a preview of a compaction tells what it frees, and changes nothing`() throws {
        let tool = try Tool()
        _ = try History.filled(10, 10, 5, in: tool)
        let before = try Tool.snapshot(of: tool.store)
        let preview = try tool.runWell("compact", tool.store, "--dry-run", "--json").json
        #expect(try Tool.snapshot(of: tool.store) == before)
        #expect(preview["commits"] as? Int == 5)
        let log = try String(contentsOfFile: tool.store + "/log/0000000003.jsonl", encoding: .utf8)
        let header = try #require(log.split(separator: "\n").first)
        #expect(preview["log_bytes"] as? Int == log.utf8.count - header.utf8.count - 1)
        // Recovery needs the log since the older of two snapshots: with a third, the second's.
        #expect(preview["freed_segments"] as? [Int] == [1, 2])
        try tool.runWell("compact", tool.store)
        let retained = try Self.decisions(tool.runWell("retain", tool.store, "--dry-run", "--segments", "0", "--json"))
        #expect(retained.filter { $0.action == "deprecate" }.map(\.item) == ["segment:1", "segment:2"])
    }

    @Test func `snapshots are listed with their times, the oldest first`() throws {
        let tool = try Tool()
        #expect(throws: Problem.self) { try tool.runWell("snapshots", tool.store) }
        try tool.runWell("init", tool.store)
        #expect(try tool.runWell("snapshots", tool.store).text.isEmpty)
        _ = try History.filled(4, 3, 2, in: tool)
        let json = try tool.runWell("snapshots", tool.store, "--json").json
        let snapshots = try #require(json["snapshots"] as? [[String: Any]])
        let flushes = try tool.flushes()
        #expect(snapshots.map { $0["sequence"] as? Int } == [4, 7])
        #expect(snapshots.map { $0["root"] as? String } == [flushes[3].root, flushes[6].root])
        for snapshot in snapshots {
            #expect(snapshot["verified"] as? Bool == true && snapshot["reason"] as? String == "hand")
            let created = try #require(snapshot["created"] as? String)
            let date = try #require(ISO8601DateFormatter().date(from: created))
            #expect(Int(date.timeIntervalSince1970) == (snapshot["created_at_us"] as? Int ?? 0) / 1_000_000)
            #expect(abs(date.timeIntervalSinceNow) < 600)
        }
        let segments = try #require(json["segments"] as? [[String: Any]])
        #expect(segments.map { $0["last_sequence"] as? Int } == [4, 7, nil])
        #expect(segments.map { $0["sealed"] as? Bool } == [true, true, false])
        let rows = try tool.runWell("snapshots", tool.store).lines.map { $0.split(separator: " ") }
        #expect(rows.dropFirst().map { $0.last ?? "" } == [flushes[3].root[...], flushes[6].root[...]])
        #expect(rows.dropFirst().map { $0[5] } == snapshots.map { Substring($0["created"] as? String ?? "") })
    }

    @Test func `a snapshot that is not whole is passed over, and status warns of it`() throws {
        let tool = try Tool()
        _ = try History.filled(5, 5, 5, in: tool)
        let root = try tool.root()
        try Self.sql(tool, "UPDATE snapshots SET key_count = key_count + 1 WHERE id = 2")
        let run = try tool.runWell("status", tool.store, "--json")
        #expect(run.err.contains("snapshot 2"))
        #expect(run.json["snapshot"] as? [String: Int] == ["id": 1, "sequence": 5])
        #expect(run.json["root"] as? String == root)
    }

    @Test func `seal begins a new segment, unless the newest holds no commit`() throws {
        let tool = try Tool()
        let history = try History.filled(3, in: tool)
        #expect(try tool.runWell("seal", tool.store).text == "2\n")
        #expect(try tool.runWell("seal", tool.store, "--json").json["segment"] as? Int == 2)
        #expect(try tool.runWell("status", tool.store, "--json").json["segment"] as? Int == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: tool.store + "/log").count == 2)
        #expect(try tool.runWell("scan", tool.store).lines == history.scan(at: 3))
        #expect(try tool.runWell("check", tool.store).lines.first == "sound")
    }

    // MARK: - Retention

    @Test func `a dry run changes nothing, and names what the run then removes`() throws {
        let tool = try Tool()
        _ = try History.filled(6, 6, 6, 6, 6, in: tool)
        let root = try tool.root()
        let limits = ["--grace", "0", "--segments", "2", "--snapshots", "3"]
        let before = try Tool.files(of: tool.store)
        let dry = try tool.run(program: Tool.path, ["retain", tool.store, "--dry-run", "--json"] + limits)
        let text = try tool.run(program: Tool.path, ["retain", tool.store, "--dry-run"] + limits)
        #expect(try Tool.files(of: tool.store) == before)

        let real = try tool.run(program: Tool.path, ["retain", tool.store] + limits)
        #expect(real.status == 0 && real.text == text.text)
        let planned = try Self.decisions(dry)
        let reclaimed = planned.filter { $0.action == "reclaim" }
        #expect(reclaimed.map(\.item) == ["snapshot:1", "segment:1", "segment:2"])
        let gone = Set(before.keys).subtracting(try Tool.files(of: tool.store).keys)
        #expect(gone == Set(reclaimed.map(\.file).filter { $0 != "state.sqlite" }))
        #expect(reclaimed.filter { $0.file != "state.sqlite" }.allSatisfy { before[$0.file]?.count == $0.byteCount })
        let snapshots = try tool.runWell("snapshots", tool.store, "--json").json["snapshots"] as? [[String: Any]]
        #expect(snapshots?.map { $0["id"] as? Int } == [2, 3, 4])
        #expect(try tool.root() == root)
        #expect(try tool.runWell("check", tool.store).lines.first == "sound")
    }

    @Test func `log prints what is left of a log whose beginning was removed`() throws {
        let tool = try Tool()
        _ = try History.filled(6, 6, 6, in: tool)
        let all = try tool.runWell("log", tool.store).lines
        try tool.runWell("retain", tool.store, "--segments", "0", "--grace", "0")
        let left = try tool.runWell("log", tool.store).lines
        #expect(left.first?.contains(#""segment":2,"#) == true)
        #expect(all.suffix(left.count) == left[...])
        #expect(left.count == 2 + 2 * 12)
    }

    @Test func `what is beyond the limits is deprecated first, and can be taken back`() throws {
        let tool = try Tool()
        _ = try History.filled(6, 6, 6, 6, in: tool)
        let files = try Set(Tool.files(of: tool.store).keys)
        let first = try Self.decisions(tool.runWell("retain", tool.store, "--segments", "0", "--json"))
        #expect(first.filter { $0.action == "deprecate" }.map(\.item) == ["segment:1", "segment:2"])
        #expect(try Set(Tool.files(of: tool.store).keys) == files)
        let again = try Self.decisions(tool.runWell("retain", tool.store, "--segments", "0", "--json"))
        #expect(again.filter { $0.action == "wait" }.map(\.item) == ["snapshot:1", "segment:1", "segment:2"])

        #expect(try tool.runWell("retain", tool.store, "--undeprecate", "segment:1").text == "kept segment:1\n")
        let last = try Self.decisions(
            tool.runWell("retain", tool.store, "--segments", "0", "--grace", "0", "--json"))
        #expect(last.filter { $0.action == "reclaim" }.map(\.item) == ["snapshot:1", "segment:2"])
        #expect(try files.subtracting(Tool.files(of: tool.store).keys) == ["log/0000000002.jsonl"])
        let segments = try tool.runWell("snapshots", tool.store, "--json").json["segments"] as? [[String: Any]]
        #expect(segments?.map { $0["number"] as? Int } == [1, 3, 4])
        #expect(segments?.map { $0["kept"] as? Bool } == [true, false, false])
    }

    @Test(arguments: [
        ["--undeprecate", "segment:9"], ["--undeprecate", "segment"], ["--undeprecate", "segment:x"],
        ["--undeprecate", "page:1"], ["--undeprecate", "snapshot:1:2"], ["--undeprecate", "snapshot:1", "--dry-run"],
        ["--undeprecate", "snapshot:1", "--grace", "3600"], ["--snapshots", "-1"], ["--grace", "x"],
        ["--segments-bytes", "1.5"],
    ])
    func `limits and items that cannot be exit 64 and change nothing`(options: [String]) throws {
        let tool = try Tool()
        _ = try History.filled(3, 3, in: tool)
        let before = try Tool.files(of: tool.store)
        #expect(try tool.run(program: Tool.path, ["retain", tool.store] + options).status == 64)
        #expect(try Tool.files(of: tool.store) == before)
    }

    private struct Decision {
        var action, item, file: String
        var byteCount: Int
    }

    private static func decisions(_ run: Tool.Run) throws -> [Decision] {
        let decisions = try #require(run.json["decisions"] as? [[String: Any]], "\(run.text)\(run.err)")
        return try decisions.map { decision in
            #expect((decision["reason"] as? String)?.isEmpty == false)
            return Decision(
                action: try #require(decision["action"] as? String), item: try #require(decision["item"] as? String),
                file: try #require(decision["file"] as? String), byteCount: try #require(decision["bytes"] as? Int))
        }
    }

    // MARK: - The past

    @Test func `a diff of two sequences is what a model says`() throws {
        let tool = try Tool()
        let history = try History.filled(12, 12, 12, in: tool)
        for (from, to) in [(0, 36), (0, 1), (5, 6), (3, 20), (12, 24), (11, 25), (24, 36), (30, 30), (36, 36)] {
            let expected = history.differences(from: UInt64(from), to: UInt64(to))
            #expect(expected.isEmpty == (from == to))
            let run = try tool.run("diff", tool.store, "\(from)", "\(to)")
            #expect(run.status == 0 && run.lines == expected, "\(from)-\(to): \(run.err)")
        }
        #expect(try tool.runWell("diff", tool.store, "20").lines == history.differences(from: 20, to: 36))
        #expect(try tool.run("diff", tool.store, "20", "10").status == 64)
        #expect(try tool.run("diff", tool.store, "20", "37").status == 64)
    }

    @Test func `a diff spells keys and values as the log does`() throws {
        let tool = try Tool()
        try tool.runWell("init", tool.store)
        for value in [#"{"$base64":"AP8="}"#, #"{"x":[1,"a b"]}"#] {
            try tool.runWell("put", tool.store, "$/w==", value)
        }
        #expect(
            try tool.runWell("diff", tool.store, "1").lines
                == [#"{"key":"$/w==","old":{"$base64":"AP8="},"new":{"x":[1,"a b"]}}"#])
    }

    @Test func `get, scan, export, root and prove read an earlier state`() throws {
        let tool = try Tool()
        let history = try History.filled(10, 10, in: tool)
        let flushes = try tool.flushes()
        for sequence in [1, 7, 10, 13, 20] {
            let at = ["--sequence", "\(sequence)"]
            let root = flushes[sequence - 1].root
            func run(_ arguments: String...) throws -> Tool.Run {
                try tool.run(program: Tool.path, [arguments[0], tool.store] + arguments.dropFirst() + at)
            }
            #expect(try run("root").text == root + "\n")
            #expect(try run("scan").lines == history.scan(at: UInt64(sequence)))
            #expect(try run("export").lines == history.scan(at: UInt64(sequence)))
            for (key, value) in history.states[sequence] { #expect(try run("get", key).text == value + "\n") }
            #expect(try run("get", "none").status == 12)
            let proof = try tool.file("proof.json", run("prove", "key 7").text)
            let verdict = try tool.runWell("verify-proof", proof, "--root", root, "--json").json
            #expect((verdict["membership"] as? String == "present") == (history.states[sequence]["key 7"] != nil))
        }
        #expect(try tool.run("root", tool.store, "--sequence", "21").status == 64)
    }

    @Test(arguments: [false, true]) func `a sequence in the middle of a flush is refused`(isSealed: Bool) throws {
        let tool = try Tool()
        var options = Options()
        options.durability = .none
        let store = try Store.open(tool.store, mode: .createIfMissing, options: options)
        for number in 1...6 {
            try store.write { try $0.put("k", "\(number)") }
            if number % 3 == 0 { try store.flush() }
        }
        try store.close()
        if isSealed { try tool.runWell("seal", tool.store) }
        let ends = Set(try tool.flushes().map(\.sequence))
        try #require(ends == [3, 6])
        for sequence in 0...6 {
            let run = try tool.run("root", tool.store, "--sequence", "\(sequence)", "--json")
            #expect(run.status == (sequence % 3 == 0 ? 0 : 64), "\(sequence): \(run.text)")
        }
    }

    @Test func `what is not retained any more exits 12`() throws {
        let tool = try Tool()
        _ = try History.filled(5, 5, 5, in: tool)
        try tool.runWell("retain", tool.store, "--segments", "0", "--grace", "0")
        for arguments in [
            ["root", tool.store, "--sequence", "3"], ["diff", tool.store, "3"],
            ["restore", tool.store, tool.folder + "/copy", "--sequence", "3"],
            ["restore", tool.store, tool.folder + "/copy", "--at", "2001-01-01T00:00:00Z"],
        ] {
            #expect(try tool.run(program: Tool.path, arguments).status == 12, "\(arguments)")
            #expect(
                try tool.run(program: Tool.path, arguments + ["--json"]).error["code"] as? String == "not_retained")
        }
        #expect(!FileManager.default.fileExists(atPath: tool.folder + "/copy"))
        #expect(try tool.run("root", tool.store, "--sequence", "5").status == 0)
    }

    /// Runs SQL on a store's state file.
    private static func sql(_ tool: Tool, _ sql: String) throws {
        let script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
        let run = try tool.run(program: "python3", ["-c", script, tool.store + "/state.sqlite", sql])
        guard run.status == 0 else { throw Problem(run.err) }
    }
}
