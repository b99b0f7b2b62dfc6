import Foundation
import Testing

@Suite struct BesideWriterTests {
    private static let readers = [
        ["check"], ["status"], ["get", "key 1"], ["scan"], ["log"], ["root"], ["prove", "key 1"], ["in-doubt"],
        ["snapshots"], ["export"], ["diff", "0"], ["root", "--sequence", "0"], ["compact", "--dry-run"],
        ["retain", "--dry-run"],
    ]

    @Test func `reading works beside a live writer, and sees what is durable`() throws {
        let tool = try Tool()
        let writer = try LiveWriter(tool)
        for number in 1...20 {
            #expect(writer.commit(#"{"data":{"key \#(number)":\#(number)}}"#) == "ack \(number) \(number)")
            // What a log tells to be durable is up to the flush before its last.
            let status = try tool.run("status", tool.store, "--json")
            let sequence = status.json["sequence"] as? Int ?? -1
            #expect((number - 1...number).contains(sequence))
            let check = try tool.run("check", tool.store, "--json")
            #expect(check.status == 0, "\(check.text)")
            #expect(check.json["being_written"] as? Bool == true)
        }
        for reader in Self.readers {
            let run = try tool.run(program: Tool.path, [reader[0], tool.store] + reader.dropFirst())
            #expect(run.status == 0, "\(reader): \(run.err)")
        }
        #expect(writer.finish() == 0)
        #expect(try tool.run("scan", tool.store).lines.count == 20)
    }

    @Test func `a store that is locked exits 11`() throws {
        let tool = try Tool()
        let writer = try LiveWriter(tool)
        #expect(writer.commit(#"{"data":{"a":1}}"#) == "ack 1 1")
        let commands = [
            ["put", tool.store, "k", "v"], ["delete", tool.store, "a"], ["resolve", tool.store, "x", "--commit"],
            ["apply", tool.store], ["import", tool.store, "-"], ["init", tool.store], ["compact", tool.store],
            ["retain", tool.store], ["retain", tool.store, "--undeprecate", "segment:1"], ["seal", tool.store],
            ["backup", tool.store, tool.folder + "/copy"],
        ]
        for arguments in commands {
            #expect(try tool.run(program: Tool.path, arguments).status == 11, "\(arguments)")
            let json = try tool.run(program: Tool.path, arguments + ["--json"])
            #expect(json.error["code"] as? String == "locked")
        }
        #expect(!FileManager.default.fileExists(atPath: tool.folder + "/copy"))
        // A kill frees the lock.
        #expect(writer.kill() == 128 + SIGKILL)
        #expect(try tool.run("put", tool.store, "k", "v").status == 0)
    }

    @Test func `reading leaves no trace`() throws {
        let tool = try Tool()
        try tool.run("apply", tool.store, input: (1...9).map { #"{"data":{"key \#($0)":1}}"# }.joined(separator: "\n"))
        let before = try Tool.snapshot(of: tool.store)
        for reader in Self.readers {
            #expect(try tool.run(program: Tool.path, [reader[0], tool.store] + reader.dropFirst()).status == 0)
        }
        #expect(try Tool.snapshot(of: tool.store) == before)
        // After a kill the store is in another condition: that is left alone, too.
        let writer = try LiveWriter(tool)
        _ = writer.commit(#"{"data":{"key 10":1}}"#)
        _ = writer.kill()
        let killed = try Tool.snapshot(of: tool.store)
        for reader in Self.readers {
            #expect(try tool.run(program: Tool.path, [reader[0], tool.store] + reader.dropFirst()).status != 1)
        }
        #expect(try Tool.snapshot(of: tool.store) == killed)
    }

    @Test func `a mistyped path is left as it is`() throws {
        let tool = try Tool()
        let folder = tool.folder + "/other"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let file = try tool.file("plain", "text")
        for path in [folder, file, folder + "/none"] {
            for arguments in [["check", path], ["get", path, "k"], ["put", path, "k", "v"], ["root", path]] {
                #expect(try tool.run(program: Tool.path, arguments).status == 10, "\(arguments)")
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "text")
    }
}
