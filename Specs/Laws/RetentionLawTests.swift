import CommitLog
import Rootfast
import SpecSupport
import Testing

/// What retention and compaction say they would do is what they do.
@Suite struct RetentionLawTests {
    private static let actionCount = 50

    @Test func `a dry run changes nothing, and the run that follows it does just that`() throws {
        try checkLaw("a dry run is the run", cases: 150, reaching: Self.reachingRuns) { choices, reach in
            let options = choices.retentionOptions()
            choices.note("\(options)")
            let scenario = try Scenario(options)
            for _ in 0..<Self.actionCount {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action)")
                try scenario.act(action)
                if choices.oneIn(4) { try Self.decideByHand(scenario.store, &choices) }
                guard choices.oneIn(5) else { continue }
                choices.note("retain")
                // What is under way is first taken to its end, and may change what there is to decide.
                while try scenario.store.maintenance.step() {}
                for _ in 0..<choices.below(3) {
                    try scenario.act(choices.busyAction(in: scenario))
                    try scenario.act(.snapshot)
                }
                try Self.decideByHand(scenario.store, &choices)
                try Self.compareRuns(in: scenario, &reach)
            }
        }
    }

    private static let reachingRuns = [
        "run": 800, "keep": 4000, "deprecate": 300, "wait": 2000, "reclaim": 800, "kept by hand": 1000,
    ]

    private static func compareRuns(in scenario: Scenario, _ reach: inout Reach) throws {
        let (maintenance, disk) = (scenario.store.maintenance, scenario.disk)
        // The clock begins anew when a store is opened: it has to come to where it was, or it does so between the two.
        while scenario.options.retention.grace == .zero,
            try maintenance.retain(isDry: true).contains(where: { $0.action == .wait })
        {}
        let before = Listing(disk, try maintenance.snapshots())
        let plan = try maintenance.retain(isDry: true)
        try expectEqual(Listing(disk, try maintenance.snapshots()), before, "a dry run changes something:")
        let done = try maintenance.retain()
        let other = zip(done, plan).filter { $0 != $1 }.map { "\($0) was to be \($1)" }
        try expect(done == plan, "\(done.count) decisions of \(plan.count), \(other.joined(separator: "; "))")
        let after = Listing(disk, try maintenance.snapshots())
        var (segments, snapshots) = (before.segments, before.snapshots)
        for decision in plan {
            reach.count("\(decision.action)")
            switch (decision.action, decision.item) {
            case (.reclaim, .segment(let number)): segments.remove(LogNames.segment(number))
            case (.reclaim, .snapshot(let id)): snapshots.remove(id)
            case (.deprecate, let item):
                try expect(maintenance.retain(isDry: true).contains { $0.item == item && $0.action == .wait })
            default: break
            }
            if decision.reason.hasPrefix("it is kept by hand") { reach.count("kept by hand") }
            try expect(!decision.reason.isEmpty)
        }
        try expectEqual(after.segments, segments)
        try expectEqual(after.snapshots, snapshots)
        try expectEqual(StoreFace(scenario.store), scenario.model.face)
        reach.count("run")
    }

    /// The segments and snapshots there are.
    private struct Listing: Equatable {
        var segments: Set<String>
        var snapshots: Set<UInt64>

        init(_ disk: SimulatedDisk, _ snapshots: [SnapshotInfo]) {
            segments = Set(disk.files.keys.filter { $0.hasSuffix(".jsonl") })
            self.snapshots = Set(snapshots.map(\.id))
        }
    }

    /// Deprecates something, or takes it back.
    private static func decideByHand(_ store: Store, _ choices: inout Choices) throws {
        guard choices.bool() else { return }
        let items = try store.maintenance.retain(isDry: true).map(\.item)
        guard !items.isEmpty else { return }
        let item = choices.pick(items)
        choices.note("by hand: \(item)")
        if choices.bool() { try store.maintenance.deprecate(item) } else { try store.maintenance.undeprecate(item) }
    }

    @Test func `a preview of a compaction tells what it then gains`() throws {
        try checkLaw("a preview is the compaction", cases: 100, reaching: Self.reachingPreviews) { choices, reach in
            let scenario = try Scenario(choices.crampedOptions())
            for _ in 0..<Self.actionCount {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action)")
                try scenario.act(action)
                guard choices.oneIn(5) else { continue }
                choices.note("compact")
                try Self.comparePreview(in: scenario, &reach)
            }
        }
    }

    private static let reachingPreviews = [
        "compaction": 500, "commits in it": 200, "segments freed": 300,
    ]

    private static func comparePreview(in scenario: Scenario, _ reach: inout Reach) throws {
        let maintenance = scenario.store.maintenance
        while try maintenance.step() {}
        try scenario.store.flush()
        let before = try maintenance.snapshots().last(where: \.isVerified)?.sequence ?? 0
        let preview = try maintenance.compactionPreview()
        let (snapshot, decisions) = try maintenance.compact()
        try expectEqual(preview.commitCount, snapshot.sequence - before, "commits:")
        // No limit keeps any segment here.
        let freed = decisions.compactMap { decision -> UInt64? in
            if case .segment(let number) = decision.item, decision.action == .reclaim { number } else { nil }
        }
        try expectEqual(freed, preview.freedSegments, "segments:")
        reach.count("compaction")
        if preview.commitCount > 0 { reach.count("commits in it") }
        if !freed.isEmpty { reach.count("segments freed") }
    }
}

extension Choices {
    /// Options with all sorts of limits.
    fileprivate mutating func retentionOptions() -> Options {
        var options = crampedOptions()
        options.retention.grace = pick([.zero, .seconds(3600)])
        options.retention.snapshots = limits()
        options.retention.segments = limits()
        return options
    }

    /// Not by age: a clock that ticks between a dry run and the run may make them differ.
    private mutating func limits() -> Retention.Limits {
        Retention.Limits(
            byteCount: pick([nil, 20_000, 100_000]), count: pick([nil, 0, 1, 3]), commitCount: pick([nil, 0, 10]))
    }
}
