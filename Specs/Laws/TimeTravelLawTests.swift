import CommitLog
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// A state of the past is shown exactly as it was, or said to be gone; and it is gone only if what leads to it is.
@Suite struct TimeTravelLawTests {
    private static let actionCount = 50

    @Test func `every state that is retained is shown as it was, and no other`() throws {
        try checkLaw("time travel", cases: 80, reaching: Self.reaching) { choices, reach in
            let options = choices.travelOptions()
            choices.note("\(options)")
            let scenario = try Scenario(options)
            var past = Past()
            for _ in 0..<Self.actionCount {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action)")
                try scenario.act(action)
                try past.note(scenario)
                if choices.oneIn(12) { try Self.keepASegment(scenario.store, &choices) }
                if choices.oneIn(25) {
                    var random = SeededGenerator(seed: UInt64(choices.below(1 << 30)))
                    choices.note("crash")
                    try scenario.goOn(
                        with: choices.bool() ? scenario.disk.afterKill() : scenario.disk.afterPowerLoss(&random))
                    try past.noteCrash(scenario)
                }
                if choices.oneIn(10) { try Self.look(at: past, of: scenario, &choices, &reach) }
            }
            try Self.look(at: past, of: scenario, &choices, &reach)
        }
    }

    private static let reaching = [
        "state of the past": 2000, "not retained": 600, "not a flush's end": 500, "time": 1500,
        "time not retained": 150, "difference": 700, "all of the log is kept": 50, "from a snapshot without its log": 8,
        "a hole in the log": 15,
    ]

    /// Keeps a segment by hand, so that there may come to be holes in the log.
    private static func keepASegment(_ store: Store, _ choices: inout Choices) throws {
        let segments = try store.maintenance.retain(isDry: true).map(\.item).filter {
            if case .segment = $0 { true } else { false }
        }
        guard !segments.isEmpty else { return }
        let segment = choices.pick(segments)
        choices.note("kept by hand: \(segment)")
        try store.maintenance.undeprecate(segment)
    }

    private static func look(
        at past: Past, of scenario: Scenario, _ choices: inout Choices, _ reach: inout Reach
    ) throws {
        let snapshots = try scenario.store.maintenance.snapshots()
        let present = try Past.present(on: scenario.disk)
        var shown: [(view: View, model: StoreModel)] = []
        for sequence in 0...scenario.model.sequence {
            let isRetained = past.isRetained(sequence, in: snapshots, present)
            guard let view = try view(at: sequence, isRetained, past, scenario, &reach) else { continue }
            let model = past.states[sequence]!
            try expectEqual(view.sequence, sequence)
            try expect(view.dictionary() == model.entries, "the state at \(sequence) differs")
            try expectEqual(view.root, model.root, "at \(sequence):")
            shown.append((view, model))
            reach.count("state of the past")
            if snapshots.contains(where: { $0.sequence == sequence && !present.contains($0.segment) }) {
                reach.count("from a snapshot without its log")
            }
        }
        if scenario.options.retention.segments == .init() {
            for sequence in past.ends { try expect(past.isRetained(sequence, in: snapshots, present)) }
            reach.count("all of the log is kept")
        }
        if UInt64(present.count) < present.max()! - present.min()! + 1 { reach.count("a hole in the log") }
        try expectDifferences(shown, &choices, &reach)
        try expectTimes(past, scenario.store, present, &choices, &reach)
    }

    /// The state at a sequence, if it must be there; `nil` if it may not.
    private static func view(
        at sequence: UInt64, _ isRetained: Bool, _ past: Past, _ scenario: Scenario, _ reach: inout Reach
    ) throws -> View? {
        do throws(StoreError) {
            return try scenario.store.view(at: sequence)
        } catch {
            switch error.code {
            case .notRetained:
                try expect(!isRetained, "sequence \(sequence) is there, and is not found: \(error)")
                reach.count("not retained")
            case .invalidArgument:
                try expect(!past.ends.contains(sequence), "a flush ends at \(sequence): \(error)")
                reach.count("not a flush's end")
            default: throw error
            }
            return nil
        }
    }

    private static func expectDifferences(
        _ shown: [(view: View, model: StoreModel)], _ choices: inout Choices, _ reach: inout Reach
    ) throws {
        guard !shown.isEmpty else { return }
        for _ in 0..<4 {
            let (one, other) = (choices.pick(shown), choices.pick(shown))
            var found: [Difference] = []
            try other.view.forEachChange(since: one.view) { key, before, after in
                found.append(
                    Difference(key: Array(key), before: before.map { Array($0) }, after: after.map { Array($0) }))
                return true
            }
            let keys = Set(one.model.entries.keys).union(other.model.entries.keys)
            let expected = keys.sorted { $0.lexicographicallyPrecedes($1) }
                .map { Difference(key: $0, before: one.model.entries[$0], after: other.model.entries[$0]) }
                .filter { $0.before != $0.after }
            try expect(found == expected, "from \(one.view.sequence) to \(other.view.sequence) it differs")
            if !found.isEmpty { reach.count("difference") }
        }
    }

    private struct Difference: Equatable {
        var key: [UInt8]
        var before: [UInt8]?
        var after: [UInt8]?
    }

    private static func expectTimes(
        _ past: Past, _ store: Store, _ present: Set<UInt64>, _ choices: inout Choices, _ reach: inout Reach
    ) throws {
        let times = past.times
        guard !times.isEmpty else { return }
        for _ in 0..<8 {
            let time = choices.pick(times) - 1 + UInt64(choices.below(3))
            let last = past.last(at: time)
            if let found = try store.sequenceIfRetained(at: time) {
                try expectEqual(found, last.sequence, "at \(time):")
                reach.count("time")
            } else {
                // Beside a hole nobody knows whether there was more before that time.
                let isWhole = UInt64(present.count) == present.max()! - present.min()! + 1
                try expect(!present.contains(last.segment) || !isWhole, "the log of \(time) is there")
                reach.count("time not retained")
            }
        }
    }
}

extension Store {
    fileprivate func sequenceIfRetained(at time: UInt64) throws -> UInt64? {
        do throws(StoreError) { return try sequence(at: time) } catch {
            guard error.code == .notRetained else { throw error }
            return nil
        }
    }
}

extension Choices {
    fileprivate mutating func travelOptions() -> Options {
        var options = crampedOptions()
        options.retention.segments = pick([
            .init(count: 0), .init(count: 3), .init(byteCount: 60_000), .init(commitCount: 8), .init(),
        ])
        options.retention.snapshots = pick([.init(count: 1), .init(count: 4), .init()])
        return options
    }
}
