import Foundation
import Rootfast
import SeededRandom
import SpecSupport
import StateTree
import Testing

/// A real process with 16 writers, killed at random moments, again and again over the same store.
@Suite struct KillTests {
    private static let roundCount = 200

    @Test func `a store killed 200 times under 16 writers keeps every acknowledged commit, and none in part`() throws {
        let folder = TemporaryFolder()
        let (seed, rounds) = (LawSettings.environment.seed, LawSettings.environment.caseCount(Self.roundCount))
        var random = SeededGenerator(seed: seed)
        var acknowledged: Set<String> = []
        var tornTails = 0
        var killsInMidWrite = 0
        for round in 0..<rounds {
            let writer = try Tool.start(["apply", folder.path, "-", "--writers", "16", "--ack"])
            let killAfter = Int.random(in: 0...120, using: &random)
            let feeder = Feeder(writer, round: round, size: Int.random(in: 1...300, using: &random))
            var lines = 0
            while lines < killAfter, let line = writer.readLine() {
                if let id = Self.acknowledged(line) { acknowledged.insert(id) }
                lines += 1
            }
            if lines == killAfter { killsInMidWrite += 1 }
            kill(writer.process.processIdentifier, SIGKILL)
            // What was acknowledged before the kill may still be in the pipe, and counts.
            while let line = writer.readLine() { if let id = Self.acknowledged(line) { acknowledged.insert(id) } }
            writer.process.waitUntilExit()
            feeder.stop()

            let check = try Tool.run(["check", folder.path])
            #expect([0, 3].contains(check.status), "round \(round): \(check.output)")
            if check.status == 3 { tornTails += 1 }
            try Self.verify(folder.path, acknowledged, round: round)
        }
        if rounds >= Self.roundCount { #expect(acknowledged.count > 1000) }
        #expect(killsInMidWrite > rounds / 2)
        var reach = Reach()
        reach.count("points", rounds)
        reach.count("in mid-write", killsInMidWrite)
        reach.count("acknowledged", acknowledged.count)
        reach.count("torn tail", tornTails)
        reach.report("kills under 16 writers", "seed \(seed)")
    }

    /// The transaction that a line `ack SEQUENCE TX_ID` tells of.
    private static func acknowledged(_ line: String) -> String? {
        let words = line.split(separator: " ")
        return words.count == 3 && words[0] == "ack" ? String(words[2]) : nil
    }

    /// Each transaction sets three keys to one value: all three are there, or none.
    private static func verify(_ path: String, _ acknowledged: Set<String>, round: Int) throws {
        let store = try Store.open(path, mode: .readOnly)
        var builder = RootBuilder()
        var parts: [String: Int] = [:]
        try store.view.scan { key, value in
            builder.add(key: key, value: value)
            parts[String(decoding: key, as: UTF8.self).split(separator: "/")[0].description, default: 0] += 1
            return true
        }
        #expect(builder.root() == store.root)
        #expect(parts.values.allSatisfy { $0 == 3 }, "round \(round): a transaction in part")
        #expect(acknowledged.allSatisfy { parts[$0] != nil }, "round \(round): an acknowledged commit is lost")
    }
}

/// Feeds a tool's standard input with transactions until it is gone.
private final class Feeder: @unchecked Sendable {
    private let thread: Thread
    private let isDone = DispatchSemaphore(value: 0)

    init(_ tool: Tool, round: Int, size: Int) {
        let isDone = self.isDone
        let input = tool.input
        thread = Thread {
            let padding = String(repeating: "x", count: size)
            for i in 0..<5000 {
                let id = "r\(round)-\(i)"
                let data = (0..<3).map { "\"\(id)/\($0)\":\"\(padding)\"" }.joined(separator: ",")
                let line = Array("{\"tx_id\":\"\(id)\",\"data\":{\(data)}}\n".utf8)
                let written = line.withUnsafeBytes { write(input.fileDescriptor, $0.baseAddress!, $0.count) }
                if written < 0 { break }
            }
            try? input.close()
            isDone.signal()
        }
        thread.start()
    }

    func stop() { isDone.wait() }
}
