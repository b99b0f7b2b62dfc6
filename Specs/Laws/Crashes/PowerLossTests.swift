import Foundation
import Rootfast
import SpecSupport
import Testing

/// A real file system, an ext4 with a journal in a file, loses its power while a store on it is written to.
@Suite struct PowerLossTests {
    private static let roundCount = 20

    @Test(.enabled(if: PowerLoss.isPossible, "NO POWER IS LOST HERE: `law: power loss | SKIPPED` says why"))
    func `a file system that loses its power keeps every acknowledged commit`() throws {
        let settings = LawSettings.environment
        let losses = try PowerLoss.run(rounds: settings.caseCount(Self.roundCount), seed: settings.seed)
        var reach = Reach()
        var models: Set = [StoreModel()]
        for loss in losses {
            do { models = try Self.verify(loss, from: loss.isFirst ? [StoreModel()] : models, &reach) } catch {
                Issue.record("\(loss.path), \(loss.how): \(error)\n\(loss.output.suffix(2000))")
                break
            }
        }
        reach.report("power loss", "ext4, seed \(settings.seed)")
        guard settings.caseCount(Self.roundCount) >= Self.roundCount else { return }
        for (what, count) in [
            "rounds": Self.roundCount, "acknowledged": 300, "nothing flushed": 8, "data=ordered": 4, "data=journal": 4,
            "data=writeback": 4, "failed for lack of a disk": 10,
        ] {
            try reach.require(reached: what, atLeast: count)
        }
    }

    /// Returns what the store holds.
    private static func verify(
        _ loss: PowerLoss, from models: Set<StoreModel>, _ reach: inout Reach
    ) throws -> Set<StoreModel> {
        let story = try SubjectStory(loss.output, from: models)
        let found = try CrashedStore(path: loss.path + "/store").expect(story.models)
        reach.count("rounds")
        for word in loss.how { reach.count(word) }
        reach.count("acknowledged", story.acknowledged)
        if !story.refusals.isEmpty || story.unknown > 0 || story.ended != nil {
            reach.count("failed for lack of a disk")
        }
        if found.recovery.tornTail != nil { reach.count("torn tail") }
        if story.models.count > 1 {
            let isDone = found.model.sequence == story.models.map(\.sequence).max()
            reach.count(isDone ? "unanswered, done" : "unanswered, not done")
        }
        return [found.model]
    }
}

/// A loss of power, and what it left.
private struct PowerLoss {
    let path: String
    let output: String
    /// How the power was lost, and how the file system was mounted.
    let how: [String]
    /// Whether there was no store before.
    let isFirst: Bool
    private let folder: TemporaryFolder

    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/power_loss.py"

    /// Whether a file system can be mounted and shut down here. Prints why not.
    static let isPossible: Bool = {
        guard let reason = obstacle else { return true }
        print("law: power loss | SKIPPED: \(reason)")
        return false
    }()

    private static var obstacle: String? {
        guard getuid() == 0 else { return "mounting needs root" }
        do {
            let (status, output) = try start(rounds: 1, seed: 1, in: TemporaryFolder())
            return status == 77 || output.hasPrefix("unshare: ") ? output : nil
        } catch { return "\(error)" }
    }

    static func run(rounds: Int, seed: UInt64) throws -> [PowerLoss] {
        let folder = TemporaryFolder()
        let (status, output) = try start(rounds: rounds, seed: seed, in: folder)
        try expect(status == 0, "the script ended with \(status): \(output)")
        return try (0..<rounds).map { try PowerLoss(folder, number: $0) }
    }

    private init(_ folder: TemporaryFolder, number: Int) throws {
        self.folder = folder
        path = "\(folder.path)/\(number)"
        output = try String(contentsOfFile: path + "/output", encoding: .utf8)
        let lines = try String(contentsOfFile: path + "/how", encoding: .utf8).split(separator: "\n").map(String.init)
        (how, isFirst) = (Array(lines[..<2]), lines[2] == "0")
    }

    private static func start(
        rounds: Int, seed: UInt64, in folder: TemporaryFolder
    ) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "unshare", "--mount", "--propagation", "private", "python3", script, SubjectRun.program, folder.path,
            "\(rounds)", "\(seed)",
        ]
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
