import Foundation
import Rootfast
import SpecSupport
import Testing

/// Transactions are strictly serializable, seen from without: nothing is known of the store but what callers read, and
/// when. After Elle (Kingsbury and Alvaro, 2020): values are lists, so that what is read tells in which order it came.
@Suite struct IsolationCycleTests {
    private static let historyCount = 60

    @Test func `histories of appended lists have no cycle`() async throws {
        let settings = LawSettings.environment
        let count = settings.caseCount(Self.historyCount)
        let begin = ContinuousClock.now
        var reach = Reach()
        for seed in settings.seed..<(settings.seed + UInt64(count)) {
            let run = try ListRun(seed: seed)
            let history = try await run.history()
            reach.add(run.reach)
            let anomalies = history.anomalies
            guard anomalies.isEmpty else {
                let replay = "again, if the threads meet alike: ROOTFAST_CASES=1 ROOTFAST_SEED=\(seed)"
                Issue.record("\(anomalies.prefix(5).map { "\($0)\n" }.joined())\(replay)")
                return
            }
        }
        let seconds = (ContinuousClock.now - begin) / .seconds(1)
        let transactionCount = reach["committed"] + reach["without effect"]
        print("law: appended lists have no cycle | seed \(settings.seed) | histories \(count) | \(reach.summary)")
        print(
            "isolation by cycles: \(transactionCount) transactions checked,",
            "\(Int(Double(transactionCount) / seconds)) a second")
        guard count >= Self.historyCount else { return }
        for (what, times) in ["committed": 15_000, "without effect": 2_000, "began beside another": 15_000] {
            try reach.require(reached: what, atLeast: times)
        }
        for what in ["run again", "given up", "only reads", "appends twice to a key"] {
            try reach.require(reached: what, atLeast: 100)
        }
    }
}

/// Threads and tasks that read and append to lists in one store.
private struct ListRun {
    private static let workerCount = 8
    private static let transactionsPerWorker = 50
    private static let keys = (0..<6).map { "list \($0)" }

    private let seed: UInt64
    private let store: Store
    private let recorder = ListRecorder()

    var reach: Reach { recorder.reach }

    init(seed: UInt64) throws {
        self.seed = seed
        var choices = Choices(seed: seed)
        var options = Options()
        options.attemptsMax = choices.pick([1, 16])
        options.durability = choices.pick([.sync, .sync, .async(interval: .milliseconds(1)), .none])
        let environment = Environment.system(viewsKept: choices.pick([0, 3, 1024]))
        store = try .open(SimulatedDisk(), creating: true, options: options, environment: environment)
    }

    /// All that was done and read, with a look at all lists at the end.
    func history() async throws -> ListHistory {
        try await Crowd.run(threads: Self.workerCount / 2, tasks: Self.workerCount / 2) { number in
            let worker = worker(number)
            for _ in 0..<Self.transactionsPerWorker { try worker.transact(on: store) }
        } inTask: { number in
            let worker = worker(number)
            for _ in 0..<Self.transactionsPerWorker { try await worker.transact(on: store) }
        }
        try worker(Self.workerCount).readAll(on: store)
        try store.close()
        return recorder.history
    }

    private func worker(_ number: Int) -> ListWorker {
        ListWorker(seed: seed << 8 + UInt64(number), keys: Self.keys, recorder)
    }
}
