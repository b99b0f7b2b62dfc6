import Foundation
import Testing

@Suite struct ImportTests {
    private static let root = "b18146f41bb885293703ffa703f8ff3ef604aeaf7c0f41085e22cc9d991f948d"

    @Test func `a log of RVC v2 gives the known root and state`() throws {
        let tool = try Tool()
        let run = try tool.run("import", tool.store, Fixture.path("rvc-v2/wal.log"), "--json")
        #expect(run.status == 0)
        #expect(run.json["committed"] as? Int == 648)
        #expect(run.json["undecided"] as? Int == 54)
        #expect(run.json["aborted"] as? Int == 0)
        #expect(run.json["unreadable"] as? [Int] == [])
        #expect(run.json["root"] as? String == Self.root)
        #expect(try Fixture.state(tool.run("scan", tool.store)) == Fixture.json("rvc-v2/state.json"))
    }

    @Test func `a second import skips what is committed`() throws {
        let tool = try Tool()
        try tool.run("import", tool.store, Fixture.path("rvc-v2/wal.log"))
        let again = try tool.run("import", tool.store, Fixture.path("rvc-v2/wal.log"), "--json")
        #expect(again.status == 0)
        #expect(again.json["skipped"] as? Int == 648)
        #expect(again.json["sequence"] as? Int == 648)
        #expect(again.json["root"] as? String == Self.root)
    }

    @Test func `every form of line is understood, and what is not is told`() throws {
        let tool = try Tool()
        for isAgain in [false, true] {
            let run = try tool.run("import", tool.store, Fixture.path("rvc-v2-forms/wal.log"), "--json")
            #expect(run.status == 3)
            #expect(run.json["committed"] as? Int == 7)
            #expect(run.json["skipped"] as? Int == (isAgain ? 7 : 0))
            #expect(run.json["aborted"] as? Int == 1)
            #expect(run.json["undecided"] as? Int == 2)
            #expect(run.json["unreadable"] as? [Int] == [9, 10, 21, 22, 23, 26])
            #expect(run.json["without_prepare"] as? [Int] == [11])
            #expect(try tool.run("scan", tool.store).text == Fixture.text("rvc-v2-forms/scan.jsonl"))
        }
        let text = try tool.run("import", tool.store, Fixture.path("rvc-v2-forms/wal.log"))
        #expect(text.lines.contains("unreadable 6 (line 9, 10, 21, 22, 23, 26)"))
    }

    @Test func `a transaction committed under a key that cannot be is an error, and one that was not is none`() throws {
        let prepare = #"{"op":"PREPARE","tx_id":"a","changes":{"":1}}"#
        let tool = try Tool()
        let file = try tool.file("wal.log", prepare + "\n" + #"{"op":"COMMIT","tx_id":"a"}"#)
        let run = try tool.run("import", tool.store, file, "--json")
        #expect(run.status == 1)
        #expect(run.error["line"] as? Int == 2)
        let other = try tool.file("other.log", prepare)
        #expect(try tool.run("import", tool.store, other, "--json").json["undecided"] as? Int == 1)
    }

    /// The time it took grew with the square of the repetitions: more than a minute for these.
    @Test func `an id that is used over and over takes no longer than others`() throws {
        let tool = try Tool()
        let line = #"{"tx_id":"again","changes":{"k":1},"committed":true}"# + "\n"
        let file = try tool.file("wal.log", String(repeating: line, count: 40_000))
        let run = try tool.run(["import", tool.store, file, "--json"], after: "ulimit -t 30")
        #expect(run.status == 0 && run.json["committed"] as? Int == 40_000, "\(run.err)")
    }

    @Test func `an id that is used again is numbered, past numbers that are taken`() throws {
        let tool = try Tool()
        let ids = ["a", "a", "a (3)", "a", "a", "a (2)"]
        let lines = ids.map { #"{"tx_id":"\#($0)","changes":{"k":1},"committed":true}"# }
        let file = try tool.file("wal.log", lines.joined(separator: "\n"))
        #expect(try tool.run("import", tool.store, file).status == 0)
        let expected = ["a", "a (2)", "a (3)", "a (4)", "a (5)", "a (2) (2)"]
        let log = try tool.run("log", tool.store).text
        let used = log.matches(of: /"PREPARE".*"tx_id":"([^"]+)"/).map { String($0.1) }
        #expect(used == expected)
    }

    @Test func `a missing log makes no store`() throws {
        let tool = try Tool()
        #expect(try tool.run("import", tool.store, tool.folder + "/nothing").status == 1)
        #expect(!FileManager.default.fileExists(atPath: tool.store))
    }
}
