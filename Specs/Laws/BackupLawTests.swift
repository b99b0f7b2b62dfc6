import CommitLog
import Foundation
import Rootfast
import SpecSupport
import Testing

/// A backup is the store as it was, whatever maintenance was at; what is restored from it is the state that was asked
/// for, with its votes and outcomes.
@Suite struct BackupLawTests {
    private static let actionCount = 40

    @Test func `a backup is the store, and what is restored is the state of its time`() throws {
        var settings = LawSettings.environment
        // On a real disk each case takes a while.
        settings.shrinkRunCountMax = 100
        try checkLaw("backup and restore", cases: 20, reaching: Self.reaching, settings: settings) { choices, reach in
            var options = choices.options()
            if choices.bool() { options.retention.segments = .init() }
            choices.note("\(options)")
            let scenario = try Scenario(options)
            for i in 1...Self.actionCount {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action)")
                try scenario.act(action)
                guard i == Self.actionCount || choices.oneIn(30) else { continue }
                try scenario.act(.flush)
                let backup = TemporaryFolder()
                choices.note("backup")
                try Self.expectBackup(of: scenario, steps: choices.below(6), to: backup, &reach)
                try Self.expectRestoring(of: scenario, from: backup, at: nil, &reach)
                for _ in 0..<3 {
                    let sequence = UInt64(choices.below(Int(scenario.model.sequence) + 1))
                    choices.note("restore at \(sequence)")
                    try Self.expectRestoring(of: scenario, from: backup, at: sequence, &reach)
                }
            }
        }
    }

    private static let reaching = [
        "backup": 25, "in the middle of maintenance": 5, "restored": 25, "restored as of a sequence": 10,
        "restored with votes": 10, "state of the past in a backup": 20, "not retained": 5,
    ]

    /// Takes the scenario's store to a real disk, maintenance there a few steps on, and makes a backup then.
    private static func expectBackup(
        of scenario: Scenario, steps: Int, to folder: TemporaryFolder, _ reach: inout Reach
    ) throws {
        let original = TemporaryFolder()
        try scenario.disk.afterKill().copy(to: original.path)
        let store = try Store.open(original.path, options: scenario.options)
        var isUnderWay = false
        for _ in 0..<steps {
            let before = store.maintenance.statistics
            isUnderWay = try store.maintenance.step() && store.maintenance.statistics == before
        }
        if isUnderWay { reach.count("in the middle of maintenance") }
        let report = try store.backup(to: folder.path)
        try expectEqual(report.root, scenario.model.root)
        try expectEqual(report.uuid, store.uuid)
        while try store.maintenance.step() {}
        try store.expect(holding: scenario.model)
        try store.close()
        let copy = try Store.open(folder.path, mode: .readOnly, options: scenario.options)
        try copy.expect(holding: scenario.model)
        for state in scenario.states where state.model.sequence < scenario.model.sequence {
            guard let view = try copy.viewIfRetained(at: state.model.sequence) else { continue }
            try expect(view.dictionary() == state.model.entries, "the state at \(state.model.sequence) differs")
            reach.count("state of the past in a backup")
        }
        try copy.close()
        let check = try Store.check(folder.path)
        try expect(check.verdict != .damaged, "\(String(describing: check.damage))")
        reach.count("backup")
    }

    private static func expectRestoring(
        of scenario: Scenario, from backup: TemporaryFolder, at sequence: UInt64?, _ reach: inout Reach
    ) throws {
        let folder = TemporaryFolder()
        do {
            try Store.restore(
                from: backup.path, at: sequence.map { .sequence($0) } ?? .newest, to: folder.path,
                options: scenario.options)
        } catch {
            guard sequence != nil, error.code == .notRetained || error.code == .invalidArgument else { throw error }
            return reach.count("not retained")
        }
        let model = sequence.map { sequence in scenario.states.last { $0.model.sequence == sequence }!.model }
        let store = try Store.open(folder.path, options: scenario.options)
        try expect(store.uuid != scenario.store.uuid)
        // Where the log behind a snapshot is gone, nobody knows of the votes that came after it.
        if sequence == nil || scenario.options.retention.segments == .init() {
            try store.expect(holding: model ?? scenario.model)
            reach.count(sequence == nil ? "restored" : "restored as of a sequence")
            if try !store.inDoubt().isEmpty { reach.count("restored with votes") }
        } else {
            try expect(store.view.dictionary() == model!.entries, "the state at \(sequence!) differs")
        }
        for id in scenario.model.outcomes.keys where model != nil && model!.outcomes[id] == nil {
            try expectEqual(store.outcome(of: id), .unknown, "of \(id), which came later:")
        }
        let before = store.view.sequence
        let receipt = try store.write { try $0.put("a key of its own", "goes on") }
        try expectEqual(receipt.sequence, before + 1)
        try store.close()
        try expect(Store.check(folder.path).verdict != .damaged)
    }
}

extension SimulatedDisk {
    /// Writes all files into a folder, which is made.
    fileprivate func copy(to path: String) throws {
        for (name, bytes) in files {
            let file = URL(fileURLWithPath: path).appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }
    }
}
