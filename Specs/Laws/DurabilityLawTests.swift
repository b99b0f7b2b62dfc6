import CommitLog
import Hashing
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// Atomicity and durability: whatever call a crash comes at, and whatever of what was not synced it keeps, the store is
/// back in a state that it was in, at or after the last that was acknowledged as durable, with all of it or nothing of
/// each transaction.
@Suite struct DurabilityLawTests {
    /// Tried at each moment, beside what a kill leaves; those that leave the same count once.
    private static let powerLosses = 12
    private static let actionCount = 40

    @Test(arguments: [false, true])
    func `after any crash the state is that of a prefix of the flushes that has every acknowledged one`(
        isAsync: Bool
    ) throws {
        let prints = Prints()
        try checkLaw("durability, \(isAsync ? "async" : "sync")", cases: 430, reaching: Self.reaching(isAsync)) {
            choices, reach in
            var options = choices.options()
            options.durability = isAsync ? .async(interval: .seconds(1)) : .sync
            choices.note("\(options)")
            let scenario = try Scenario(options)
            scenario.watch()
            for _ in 0..<Self.actionCount {
                let action = choices.action(in: scenario)
                choices.note("\(action)")
                let end = try Self.perform(action, in: scenario, &choices, &reach)
                var random = SeededGenerator(seed: UInt64(choices.below(1 << 30)))
                for moment in scenario.takeMoments() {
                    choices.note("  \(moment.call), allowed \(moment.allowed)")
                    try Self.tryCrashes(at: moment, in: scenario, prints, &random, &reach)
                }
                guard end == .unknown || choices.oneIn(20) else { continue }
                let left = choices.bool() ? scenario.disk.afterKill() : scenario.disk.afterPowerLoss(&random)
                try scenario.goOn(with: left)
                try scenario.store.expect(holding: scenario.model)
                scenario.watch()
                reach.count("gone on after a crash")
            }
        }
    }

    /// Together more than a million images.
    private static func reaching(_ isAsync: Bool) -> [String: Int] {
        [
            "images": isAsync ? 485_000 : 520_000, "images, distinct": 250_000, "from a snapshot": 10_000,
            "from a snapshot and the log after it": 5_000,
            "torn tail": 500, "state file's own log": 5_000, "first segment reclaimed": 1_000, "in doubt": 10_000,
            "lost what was not yet durable": 1_000, "kept what was not acknowledged": 500, "gone on after a crash": 100,
            "call failed": 100, "refused for the disk's sake": 20, "outcome unknown": 20,
        ]
    }

    /// Performs an action, now and then on a disk of which a call fails.
    private static func perform(
        _ action: Scenario.Action, in scenario: Scenario, _ choices: inout Choices, _ reach: inout Reach
    ) throws -> Scenario.End {
        guard choices.oneIn(8) else { return try scenario.perform(action) }
        let errno: Int32 = choices.pick([5, 28])
        var left = choices.count(in: 0...60)
        var hasFailed = false
        scenario.disk.setFault { call, _ in
            // A disk that is full still reads and syncs.
            guard errno == 5 || ["pwrite", "fallocate", "openat", "renameat"].contains(call) else { return nil }
            left -= 1
            guard left == 0 else { return nil }
            hasFailed = true
            return errno
        }
        defer { scenario.disk.setFault(nil) }
        let end = try scenario.perform(action)
        if hasFailed { reach.count("call failed") }
        if end == .refused { reach.count("refused for the disk's sake") }
        if end == .unknown { reach.count("outcome unknown") }
        choices.note("  with a call failing: \(end)")
        return end
    }

    private static func tryCrashes(
        at moment: Scenario.Moment, in scenario: Scenario, _ all: Prints, _ random: inout SeededGenerator,
        _ reach: inout Reach
    ) throws {
        let ofMoment = Prints()
        for i in 0...powerLosses {
            let image = i == 0 ? moment.disk.afterKill() : moment.disk.afterPowerLoss(&random)
            let print = image.print
            guard ofMoment.note(print) else { continue }
            reach.count("images")
            if all.note(print) { reach.count("images, distinct") }
            let files = image.files
            let store = try Scenario.open(image, scenario.options)
            let index = try scenario.index(of: StoreFace(store), in: moment.allowed)
            if random.oneIn(64) { try store.expect(holding: scenario.states[index].model) }
            if index > moment.allowed.lowerBound { reach.count("kept what was not acknowledged") }
            if index < moment.allowed.upperBound { reach.count("lost what was not yet durable") }
            try note(store, files, &reach)
        }
    }

    /// Counts what an image made recovery do.
    private static func note(_ store: Store, _ files: [String: [UInt8]], _ reach: inout Reach) throws {
        let report = store.recovery
        // A crash leaves no snapshot that is not whole; of the state file itself no more than its beginning may be there.
        try expect(!report.badSnapshots.contains { $0.hasPrefix("snapshot") }, "passed over: \(report.badSnapshots)")
        if report.snapshotID != nil {
            reach.count(report.flushCount == 0 ? "from a snapshot" : "from a snapshot and the log after it")
        }
        if report.tornTail != nil { reach.count("torn tail") }
        if (files["state.sqlite-wal"]?.count ?? 0) > 32 { reach.count("state file's own log") }
        if files[LogNames.segment(1)] == nil { reach.count("first segment reclaimed") }
        if try !store.inDoubt().isEmpty { reach.count("in doubt") }
    }

    /// Fingerprints of images.
    private final class Prints: @unchecked Sendable {
        private var all: Set<UInt64> = []

        /// Whether there was none like it.
        func note(_ print: UInt64) -> Bool { all.insert(print).inserted }
    }
}

extension SimulatedDisk {
    /// A fingerprint of all names and bytes.
    fileprivate var print: UInt64 {
        var print: UInt64 = 0
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            for part in [Array(name.utf8), bytes] {
                let sum = part.withUnsafeBytes { CRC32C.checksum($0) }
                print = (print ^ UInt64(sum) ^ UInt64(part.count) << 32) &* 0x9e37_79b9_7f4a_7c15
                print ^= print >> 29
            }
        }
        return print
    }
}
