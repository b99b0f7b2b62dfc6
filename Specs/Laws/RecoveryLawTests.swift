import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// Recovery: opening twice is opening once, and a crash inside recovery, and inside the recovery from that, three deep,
/// changes nothing of what comes back in the end.
@Suite struct RecoveryLawTests {
    private static let depthMax = 3

    @Test func `a crash inside recovery, three deep, changes nothing, and opening twice is opening once`() throws {
        let reaching = [
            "crashed inside recovery, 1 deep": 3000, "crashed inside recovery, 2 deep": 3000,
            "crashed inside recovery, 3 deep": 3000, "torn tail at the end": 50, "torn tail found again": 50,
            "from a snapshot": 1000, "opened twice": 3000, "maintenance after it": 300,
        ]
        try checkLaw("recovery", cases: 60, reaching: reaching) { choices, reach in
            let scenario = try Scenario(choices.options())
            scenario.watch()
            for _ in 0..<20 {
                let action = choices.action(in: scenario)
                choices.note("\(action)")
                _ = try scenario.perform(action)
                let moments = scenario.takeMoments()
                guard !moments.isEmpty else { continue }
                var random = SeededGenerator(seed: UInt64(choices.below(1 << 30)))
                for _ in 0..<4 {
                    let moment = moments[choices.below(moments.count)]
                    choices.note("  \(moment.call), allowed \(moment.allowed)")
                    try Self.recover(from: moment, in: scenario, &random, &reach)
                }
            }
        }
    }

    /// Crashes again and again while the store recovers from the crash before.
    private static func recover(
        from moment: Scenario.Moment, in scenario: Scenario, _ random: inout SeededGenerator, _ reach: inout Reach
    ) throws {
        var image = moment.disk.afterPowerLoss(&random)
        let first = try Scenario.open(image.afterKill(), scenario.options)
        let face = try StoreFace(first)
        let index = try scenario.index(of: face, in: moment.allowed)
        for depth in 1...depthMax {
            var crashes: [SimulatedDisk] = []
            image.watch { _, _, disk in crashes.append(disk) }
            let store = try Scenario.open(image, scenario.options)
            image.watch(nil)
            try expectEqual(StoreFace(store), face, "\(depth) deep")
            note(store, depth, &reach)
            guard !crashes.isEmpty else { break }
            let crash = crashes[Int.random(in: 0..<crashes.count, using: &random)]
            image = random.oneIn(4) ? crash.afterKill() : crash.afterPowerLoss(&random)
            reach.count("crashed inside recovery, \(depth) deep")
        }
        let last = try Scenario.open(image, scenario.options)
        try expectEqual(StoreFace(last), face, "in the end")
        try last.expect(holding: scenario.states[index].model)
        try openAgain(image, face, scenario.options, &random, &reach)
    }

    /// What recovery left is found as it is by the next opening, which has nothing to repair.
    private static func openAgain(
        _ image: SimulatedDisk, _ face: StoreFace, _ options: Options, _ random: inout SeededGenerator,
        _ reach: inout Reach
    ) throws {
        let again = try Scenario.open(image.afterPowerLoss(&random), options)
        try expectEqual(StoreFace(again), face, "opened again")
        try expect(again.recovery.tornTail == nil, "a torn tail that was repaired is found again")
        reach.count("opened twice")
        guard random.oneIn(8) else { return }
        _ = try again.maintenance.compact()
        try expectEqual(StoreFace(again), face, "after a compaction")
        reach.count("maintenance after it")
    }

    private static func note(_ store: Store, _ depth: Int, _ reach: inout Reach) {
        if store.recovery.snapshotID != nil { reach.count("from a snapshot") }
        guard store.recovery.tornTail != nil else { return }
        reach.count(depth == 1 ? "torn tail at the end" : "torn tail found again")
    }
}
