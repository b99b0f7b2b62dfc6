import Foundation
import Rootfast
import SpecSupport
import Testing

/// Transactions are strictly serializable, seen from within: replayed one after the other in the order of their
/// sequences, each reads what it read, and the order is one that callers could see. `SerialReplay` says it in full.
@Suite struct IsolationReplayTests {
    private static let crowdCount = 100

    @Test func `transactions interleaved in any way are serial in the order of their sequences`() throws {
        let begin = ContinuousClock.now
        let reach = try checkLaw(
            "interleaved transactions are serial", cases: 4_000,
            reaching: [
                "began beside another": 10_000, "conflict": 800, "conflict of a range": 200, "locked by a vote": 300,
                "committed": 10_000, "viewed": 1_000,
            ],
            Self.interleave)
        Self.report(reach, since: begin)
    }

    @Test func `transactions of threads and tasks are serial in the order of their sequences`() async throws {
        let settings = LawSettings.environment
        let begin = ContinuousClock.now
        var reach = Reach()
        for seed in settings.seed..<(settings.seed + UInt64(settings.caseCount(Self.crowdCount))) {
            do {
                try await Self.runCrowd(Choices(seed: seed), &reach)
            } catch {
                Issue.record("\(error)\nagain, if the threads meet alike: ROOTFAST_CASES=1 ROOTFAST_SEED=\(seed)")
                break
            }
        }
        print("law: transactions at once are serial | seed \(settings.seed) | \(reach.summary)")
        Self.report(reach, since: begin)
        guard settings.caseCount(Self.crowdCount) >= Self.crowdCount else { return }
        for what in ["conflict", "conflict of a range", "locked by a vote", "run again", "viewed"] {
            try reach.require(reached: what, atLeast: 20)
        }
        try reach.require(reached: "began beside another", atLeast: 5_000)
    }

    private static func report(_ reach: Reach, since begin: ContinuousClock.Instant) {
        let ends = ["committed", "changedNothing", "viewed", "withoutEffect"]
        let count = ends.reduce(0) { $0 + reach[$1] }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        print("isolation by replay: \(count) transactions checked, \(Int(Double(count) / seconds)) a second")
    }

    // MARK: - Step by step

    /// Opens up to five transactions at a time and takes one of them a step on, again and again.
    private static func interleave(_ choices: inout Choices, _ reach: inout Reach) throws {
        let keyCount = choices.pick([4, 12, 120])
        let store = try store(&choices)
        let recorder = HistoryRecorder()
        let first = try TransactionRun(.filling(keyCount), on: store, recorder)
        while try first.advance() {}
        var count = 0
        var waiting = choices.array(4...16) { choices in
            count += 1
            return choices.transactionPlan("t\(count)", keyCount: keyCount)
        }
        for plan in waiting { choices.note("\(plan.name) \(plan.kind): \(plan.operations)") }
        var open: [TransactionRun] = []
        while !waiting.isEmpty || !open.isEmpty {
            if open.isEmpty || !waiting.isEmpty && open.count < 5 && choices.oneIn(3) {
                open.append(try TransactionRun(waiting.removeFirst(), on: store, recorder))
                continue
            }
            let index = choices.below(open.count)
            if try !open[index].advance() { open.remove(at: index) }
        }
        reach.add(recorder.reach)
        let end = try SerialReplay.check(recorder.history)
        try expectEqual(store.view.entries(), end.entries, "the state at the end")
    }

    private static func store(_ choices: inout Choices) throws -> Store {
        var options = Options()
        options.durability = choices.pick([.sync, .none])
        return try Store.open(SimulatedDisk(), creating: true, options: options, environment: .deterministic())
    }

    // MARK: - At once

    private static func runCrowd(_ choices: consuming Choices, _ reach: inout Reach) async throws {
        var choices = choices
        let keyCount = choices.pick([8, 40, 400])
        let (store, folder) = try crowdedStore(&choices)
        let recorder = HistoryRecorder()
        try await TransactionPlan.filling(keyCount).run(on: store, recorder) {}
        let plans = (0..<8).map { worker in
            (0..<40).map { choices.transactionPlan("t\(worker).\($0)", keyCount: keyCount) }
        }
        let seed = UInt64(choices.below(1 << 40))
        try await Crowd.run(threads: 4, tasks: 4) { worker in
            let gait = Gait(seed: seed + UInt64(worker))
            for plan in plans[worker] { try plan.run(on: store, recorder) { gait.giveWay() } }
        } inTask: { worker in
            let gait = Gait(seed: seed + UInt64(worker))
            for plan in plans[worker] { try await plan.run(on: store, recorder) { gait.giveWay() } }
        }
        reach.add(recorder.reach)
        let end = try SerialReplay.check(recorder.history)
        try expectEqual(store.view.entries(), end.entries, "the state at the end")
        try store.close()
        if let folder { try expectEqual(Store.check(folder.path).verdict, .sound) }
    }

    /// On a simulated disk, or on a real one with little memory and snapshots all along; with attempts of the store's
    /// own, or one each.
    private static func crowdedStore(_ choices: inout Choices) throws -> (Store, TemporaryFolder?) {
        var options = Options()
        options.attemptsMax = choices.pick([1, 16])
        options.durability = choices.pick([.sync, .sync, .async(interval: .milliseconds(1)), .none])
        guard choices.oneIn(4) else {
            let environment = Environment.system(viewsKept: choices.pick([0, 3, 1024]))
            return (try .open(SimulatedDisk(), creating: true, options: options, environment: environment), nil)
        }
        options.memoryBytesMax = 1 << 20
        options.segmentBytesMax = 1 << 16
        options.compaction.commitCount = 20
        let folder = TemporaryFolder()
        return (try .open(folder.path, mode: .createIfMissing, options: options), folder)
    }
}
