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

    @Test func `a missing log makes no store`() throws {
        let tool = try Tool()
        #expect(try tool.run("import", tool.store, tool.folder + "/nothing").status == 1)
        #expect(!FileManager.default.fileExists(atPath: tool.store))
    }
}
