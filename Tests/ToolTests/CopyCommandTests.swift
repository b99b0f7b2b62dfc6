import Foundation
import Rootfast
import Testing

/// Backup, restore, salvage and export.
@Suite struct CopyCommandTests {
    @Test(arguments: [[20], [20, 15], [20, 15, 10]])
    func `a backup is the same store, and what is restored from it another one with the same root`(
        counts: [Int]
    ) throws {
        let tool = try Tool()
        let history = try History.filled(counts, in: tool)
        let status = try tool.runWell("status", tool.store, "--json").json
        let (backup, copy) = (tool.folder + "/backup", tool.folder + "/copy")
        let report = try tool.runWell("backup", tool.store, backup, "--json").json
        let restored = try tool.runWell("restore", backup, copy, "--json").json
        for name in ["root", "sequence", "count"] {
            #expect("\(report[name] ?? "")" == "\(status[name] ?? "")")
            #expect("\(restored[name] ?? "")" == "\(status[name] ?? "")")
        }
        #expect(report["store"] as? String == status["store"] as? String)
        #expect(restored["store"] as? String != status["store"] as? String)
        for folder in [backup, copy] {
            #expect(try tool.runWell("scan", folder).lines == history.scan(at: history.newest))
            #expect(try tool.runWell("check", folder).lines.first == "sound")
        }
        let put = try tool.runWell("put", copy, "new", "life", "--json")
        #expect(put.json["sequence"] as? UInt64 == history.newest + 1)
        #expect(try tool.runWell("root", tool.store).text == "\(status["root"] ?? "")\n")
    }

    @Test func `a restore leads to an earlier state, by sequence and by time`() throws {
        let tool = try Tool()
        let history = try History.filled(8, 8, 4, in: tool)
        let flushes = try tool.flushes()
        for flush in [flushes[0], flushes[6], flushes[7], flushes[8], flushes[14], flushes[19]] {
            let points = [
                ["--sequence", "\(flush.sequence)"], ["--at", flush.timestamp], ["--at", Self.date(flush.timestamp)],
            ]
            for (index, point) in points.enumerated() {
                let copy = "\(tool.folder)/copy-\(flush.sequence)-\(index)"
                let run = try tool.run(program: Tool.path, ["restore", tool.store, copy, "--json"] + point)
                #expect(run.json["root"] as? String == flush.root, "\(point): \(run.text)\(run.err)")
                #expect(run.json["sequence"] as? UInt64 == flush.sequence)
                #expect(try tool.runWell("scan", copy).lines == history.scan(at: flush.sequence))
            }
        }
    }

    /// The same moment as a date, by other code than the tool's.
    private static func date(_ timestamp: String) -> String {
        let parts = timestamp.split(separator: ".")
        let date = Date(timeIntervalSince1970: Double(parts[0])!)
        return ISO8601DateFormatter().string(from: date).dropLast() + ".\(parts[1])Z"
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-21", "2026-11-21T12:00:00", "2026-11-21T24:00:00Z",
        "2026-11-21T12:60:00Z", "2026-11-21T12:00:60Z", "2026-13-01T00:00:00Z", "2026-11-00T00:00:00Z",
        "2026-11-21T12:00:00ZZ", "2026-11-21T12:00:00.Z", "2026-11-21t12:00:00Z", "1969-12-31T23:59:59Z",
        "26-11-21T12:00:00Z", "2026-11-21T12:00:00+01:00", "T", "x", "", "1e9", "12.", ".5", "1 2",
        "18446744073710", "99999999999999999999",
    ])
    func `a time that cannot be exits 64`(time: String) throws {
        let tool = try Tool()
        _ = try History.filled(1, in: tool)
        let run = try tool.run("restore", tool.store, tool.folder + "/copy", "--at", time)
        #expect(run.status == 64 && run.err.contains("--at"), "\(run.err)")
        #expect(!FileManager.default.fileExists(atPath: tool.folder + "/copy"))
    }

    @Test(arguments: ["2028-02-29T23:59:59.9999999Z", "4102444800", "9999-12-31T00:00:00Z"])
    func `a time to come is the newest state`(time: String) throws {
        let tool = try Tool()
        _ = try History.filled(3, in: tool)
        let run = try tool.runWell("restore", tool.store, tool.folder + "/copy", "--at", time, "--json")
        #expect(run.json["sequence"] as? Int == 3)
    }

    @Test func `votes that no snapshot holds yet are backed up and restored`() throws {
        let tool = try Tool()
        _ = try History.filled(5, 5, in: tool)
        try tool.runWell("compact", tool.store)
        let store = try Store.open(tool.store)
        _ = try store.prepare("p 1") { try $0.put("held", "1") }
        try store.close()
        let (backup, copy) = (tool.folder + "/backup", tool.folder + "/copy")
        try tool.runWell("backup", tool.store, backup)
        try tool.runWell("restore", backup, copy)
        for folder in [backup, copy] {
            let list = try tool.run("in-doubt", folder, "--json").json["in_doubt"] as? [[String: Any]]
            #expect(list?.map { $0["tx_id"] as? String } == ["p 1"])
        }
        #expect(try tool.run("resolve", copy, "p 1", "--commit").status == 0)
        #expect(try tool.run("get", copy, "held").text == "1\n")
    }

    @Test func `a folder that is not empty is left as it is`() throws {
        let tool = try Tool()
        _ = try History.filled(5, 5, in: tool)
        let other = try Tool()
        _ = try History.filled(7, in: other)
        let plain = tool.folder + "/plain"
        try FileManager.default.createDirectory(atPath: plain, withIntermediateDirectories: false)
        _ = try tool.file("plain/precious", "text")
        for target in [plain, other.store] {
            let before = try Tool.files(of: target)
            let commands = [
                ["backup", tool.store, target], ["restore", tool.store, target],
                ["salvage", tool.store, "--to", target],
            ]
            for command in commands {
                let run = try tool.run(program: Tool.path, command)
                #expect(run.status == 64 && run.err.contains("is not empty"), "\(command): \(run.err)")
            }
            #expect(try Tool.files(of: target) == before)
        }
    }

    // MARK: - Export

    @Test func `an export is what another reader of SQLite finds`() throws {
        let tool = try Tool()
        // Keys and values as bytes, and whether SQLite is to have them as text.
        let entries: [(key: [UInt8], keyIsText: Bool, value: [UInt8], valueIsText: Bool)] = [
            (Array("a".utf8), true, [], true), (Array("é".utf8), true, Array(#"{"x":1}"#.utf8), true),
            (Array("nul\0".utf8), false, [0], false), ([0xff], false, [0xff, 0xfe], false),
            (Array("number".utf8), true, Array("12".utf8), true), (Array("$".utf8), true, Array("'; --".utf8), true),
        ]
        let store = try Store.open(tool.store, mode: .createIfMissing)
        for entry in entries { try store.write { try $0.put(entry.key, entry.value) } }
        try store.close()
        let file = tool.folder + "/export.sqlite"
        let report = try tool.runWell("export", tool.store, "--sqlite", file, "--json").json
        #expect(report["count"] as? Int == entries.count)
        #expect(report["root"] as? String == (try tool.root()))
        func row(_ bytes: [UInt8], _ isText: Bool) -> String {
            (isText ? "text " : "blob ") + bytes.map { String(format: "%02X", $0) }.joined()
        }
        let expected = entries.map { row($0.key, $0.keyIsText) + " " + row($0.value, $0.valueIsText) }
        #expect(try Self.rows(of: file, tool).sorted() == expected.sorted())

        let before = FileManager.default.contents(atPath: file)
        #expect(try tool.run("export", tool.store, "--sqlite", file).status == 64)
        #expect(FileManager.default.contents(atPath: file) == before)
        let plain = try tool.file("plain", "no database")
        #expect(try tool.run("export", tool.store, "--sqlite", plain).status == 64)
        #expect(try String(contentsOfFile: plain, encoding: .utf8) == "no database")
        #expect(try tool.runWell("export", tool.store).text == tool.runWell("scan", tool.store).text)
    }

    /// What was left of it kept the next one from being made.
    @Test func `an export that fails leaves no file, and one that does not a file for its owner alone`() throws {
        let tool = try Tool()
        let store = try Store.open(tool.store, mode: .createIfMissing)
        try store.write { try $0.put("long", String(repeating: "x", count: 1 << 20)) }
        try store.close()
        let file = tool.folder + "/export.sqlite"
        let small = try tool.run(
            ["export", tool.store, "--sqlite", file], after: "trap '' XFSZ; ulimit -f 64")
        #expect(small.status == 1 && small.err.contains("cannot be written"), "\(small.err)")
        #expect(!FileManager.default.fileExists(atPath: file))
        try tool.runWell("export", tool.store, "--sqlite", file)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `an export's file has any name, and no name is special to SQLite`() throws {
        let tool = try Tool()
        _ = try History.filled(3, in: tool)
        for name in [":memory:", "file:x?mode=memory", "%41"] {
            let run = try tool.run(["export", tool.store, "--sqlite", name], after: "cd '\(tool.folder)'")
            #expect(run.status == 0, "\(run.err)")
            let rows = try Self.rows(of: "\(tool.folder)/\(name)", tool)
            #expect(try rows.count == tool.runWell("scan", tool.store).lines.count)
        }
        for name in ["", tool.folder + "/", tool.folder, tool.folder + "/none/x", "."] {
            let run = try tool.run("export", tool.store, "--sqlite", name)
            #expect(run.status == 64 && run.err.contains("cannot be made"), "\(name): \(run.err)")
        }
        for path in ["/\(tool.folder)/slashes", "\(tool.folder)/\u{301}accent"] {
            #expect(try tool.runWell("export", tool.store, "--sqlite", path).status == 0)
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    /// The rows of `state` as Python's sqlite3 reads them.
    private static func rows(of file: String, _ tool: Tool) throws -> [String] {
        let script = """
            import sqlite3, sys
            columns = "typeof(key), hex(key), typeof(value), hex(value)"
            for row in sqlite3.connect(sys.argv[1]).execute("SELECT " + columns + " FROM state"):
                print(*row)
            """
        let run = try tool.run(program: "python3", ["-c", script, file])
        guard run.status == 0 else { throw Problem(run.err) }
        return run.text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }

    // MARK: - Salvage

    @Test func `salvage of a sound store takes the newest state and loses nothing`() throws {
        let tool = try Tool()
        let history = try History.filled(10, 10, in: tool)
        let copy = tool.folder + "/copy"
        let run = try tool.run("salvage", tool.store, "--to", copy, "--json")
        #expect(run.status == 0 && run.json["whole"] as? Bool == true, "\(run.text)\(run.err)")
        #expect(run.json["losses"] as? [String] == [])
        #expect(run.json["root"] as? String == (try tool.root()))
        #expect(try tool.runWell("scan", copy).lines == history.scan(at: 20))
        // What was copied is a store like any other.
        #expect(try tool.run("salvage", copy, "--to", tool.folder + "/again").status == 0)
    }

    @Test func `salvage gives a whole earlier state, or says what is missing, and never a wrong value`() throws {
        let tool = try Tool()
        let history = try Self.withOldPart(in: tool)
        try tool.runWell("retain", tool.store, "--segments", "0", "--grace", "0")
        try #require(!FileManager.default.fileExists(atPath: tool.store + "/log/0000000001.jsonl"))
        let file = URL(fileURLWithPath: tool.store + "/state.sqlite")
        let whole = try Data(contentsOf: file)
        // Places all over the file, and two that both snapshots share: in a page, and in a value with a row of its own.
        let shared = try ["still 150", "vast"].map { key in
            let value = try #require(history.states[1][key])
            return try #require(whole.range(of: Data(value.utf8.prefix(80)))).lowerBound
        }
        var partial = 0
        for place in stride(from: 0, to: whole.count, by: whole.count / 24) + shared {
            var damaged = whole
            damaged[place] ^= 0x10
            try damaged.write(to: file)
            let copy = "\(tool.folder)/copy-\(place)"
            let before = try Tool.snapshot(of: tool.store)
            let run = try tool.run("salvage", tool.store, "--to", copy, "--json")
            #expect(try Tool.snapshot(of: tool.store) == before)
            // Where SQLite itself finds no way in, that is said, and nothing is made.
            if let message = run.error["message"] as? String {
                #expect(message.contains("Nothing can be proven") && !FileManager.default.fileExists(atPath: copy))
                continue
            }
            if try expectProven(run, copy, history, tool) { partial += 1 }
        }
        #expect(partial > 0)
    }

    /// A store with two snapshots, and pages and a long value that stand in both.
    private static func withOldPart(in tool: Tool) throws -> History {
        var history = History(tool)
        var old = ["vast": String(repeating: "vast ", count: 400)]
        for number in 100..<300 { old["still \(number)"] = String(repeating: "still \(number) ", count: 10) }
        try history.commit(old)
        for _ in 0..<2 {
            try history.grow(by: 30)
            try history.close()
            try tool.runWell("compact", tool.store)
        }
        try history.grow(by: 5)
        try history.close()
        return history
    }

    /// Expects that what was salvaged was so at its sequence; answers whether something is missing.
    private func expectProven(_ run: Tool.Run, _ copy: String, _ history: History, _ tool: Tool) throws -> Bool {
        let losses = try #require(run.json["losses"] as? [String], "\(run.text)\(run.err)")
        #expect(run.status == (losses.isEmpty ? 0 : 3))
        let sequence = try #require(run.json["sequence"] as? UInt64)
        let expected = history.scan(at: sequence)
        let found = try tool.runWell("scan", copy).lines
        if run.json["whole"] as? Bool == true {
            #expect(found == expected)
            return false
        }
        #expect(Set(found).isSubset(of: expected) && !losses.isEmpty)
        return found.count < expected.count
    }
}
