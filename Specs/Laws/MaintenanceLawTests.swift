import CommitLog
import Rootfast
import SpecSupport
import Testing

/// Whatever maintenance does, and wherever in it one looks, nobody sees any of it: not in what the store shows, not in
/// views that were taken before, not after opening again.
@Suite struct MaintenanceLawTests {
    private static let actionCount = 60
    /// Kept at a time.
    private static let viewCountMax = 6

    @Test func `what a store and its views show does not change, whatever maintenance does`() throws {
        try checkLaw("maintenance is not seen", cases: 120, reaching: Self.reaching) { choices, reach in
            let options = choices.crampedOptions()
            choices.note("\(options)")
            let observed = try Observed(Scenario(options))
            for _ in 0..<Self.actionCount {
                let action = choices.busyAction(in: observed.scenario)
                choices.note("\(action)")
                try observed.perform(action, &reach)
                try observed.keepView(&choices, &reach)
                try observed.look(&choices, &reach)
            }
            for shown in observed.shown {
                try shown.expectWhole(byScan: true)
                try shown.expectWhole(byScan: false)
            }
            try observed.scenario.store.expect(holding: observed.scenario.model)
        }
    }

    private static let reaching = [
        "view checked": 1200, "while a snapshot or retention was under way": 700, "view of the past": 800,
        "across a snapshot": 400, "across the reclaiming of something": 300, "pages read for a view": 200,
        "lock held": 700, "in doubt when opened from a snapshot": 25, "outcomes when opened from a snapshot": 40,
    ]

    /// A store with the views that are kept of it.
    private final class Observed {
        let scenario: Scenario
        private(set) var shown: [Shown] = []
        private var isUnderWay = false
        /// Reads of the state file.
        private var readCount = 0

        init(_ scenario: Scenario) {
            self.scenario = scenario
            scenario.disk.setFault { [unowned self] call, name in
                if call == "pread", name.hasPrefix("state.sqlite") { readCount += 1 }
                return nil
            }
        }

        deinit { scenario.disk.setFault(nil) }

        func perform(_ action: Scenario.Action, _ reach: inout Reach) throws {
            switch action {
            case .step:
                let before = scenario.store.maintenance.statistics
                let goesOn = try scenario.store.maintenance.step()
                isUnderWay = goesOn && scenario.store.maintenance.statistics == before
            case .reopen:
                (shown, isUnderWay) = ([], false)
                try scenario.act(action)
                noteOpening(&reach)
            case .snapshot, .compact, .retain:
                isUnderWay = false
                try scenario.act(action)
            default: try scenario.act(action)
            }
            try expectEqual(StoreFace(scenario.store), scenario.model.face, "after \(action)")
        }

        private func noteOpening(_ reach: inout Reach) {
            guard scenario.store.recovery.snapshotID != nil else { return }
            if !scenario.model.inDoubt.isEmpty { reach.count("in doubt when opened from a snapshot") }
            if scenario.model.outcomes.contains(where: { $0.value != .inDoubt }) {
                reach.count("outcomes when opened from a snapshot")
            }
        }

        /// Takes a view of now or of the past, now and then, and lets go of another.
        func keepView(_ choices: inout Choices, _ reach: inout Reach) throws {
            let statistics = scenario.store.maintenance.statistics
            if choices.oneIn(4) {
                shown.append(Shown(scenario.store.view, scenario.states.last!, statistics))
            } else if choices.oneIn(3) {
                let sequence = try somePast(&choices)
                if let view = try scenario.store.viewIfRetained(at: sequence) {
                    let state = scenario.states.last { $0.model.sequence == sequence }!
                    shown.append(Shown(view, state, statistics))
                    reach.count("view of the past")
                }
            }
            if shown.count > MaintenanceLawTests.viewCountMax { shown.remove(at: choices.below(shown.count)) }
        }

        /// That of a snapshot, or any.
        private func somePast(_ choices: inout Choices) throws -> UInt64 {
            let snapshots = try scenario.store.maintenance.snapshots().map(\.sequence)
            return snapshots.isEmpty || choices.oneIn(3)
                ? UInt64(choices.below(Int(scenario.model.sequence) + 1)) : choices.pick(snapshots)
        }

        /// Looks whether all is as it was: through one of the views, and now and then through the store.
        func look(_ choices: inout Choices, _ reach: inout Reach) throws {
            // Not each time: what a view has once shown may stay in memory.
            if !shown.isEmpty, choices.oneIn(3) {
                let one = choices.pick(shown)
                let before = readCount
                try one.expectWhole(byScan: choices.bool())
                reach.count("view checked")
                if readCount > before { reach.count("pages read for a view") }
                if isUnderWay { reach.count("while a snapshot or retention was under way") }
                let statistics = scenario.store.maintenance.statistics
                if statistics.snapshotCount > one.before.snapshotCount { reach.count("across a snapshot") }
                if statistics.reclaimedCount > one.before.reclaimedCount {
                    reach.count("across the reclaiming of something")
                }
            }
            guard choices.oneIn(4) else { return }
            try scenario.store.expect(holding: scenario.model)
            for (id, changes) in scenario.model.inDoubt {
                try scenario.store.expectLock(on: changes[0].key, by: id)
                reach.count("lock held")
            }
        }
    }

    /// A view, and what it has to show as long as it lives.
    private struct Shown {
        let view: View
        let state: Scenario.State
        /// What maintenance had done when it was taken.
        let before: MaintenanceStatistics

        init(_ view: View, _ state: Scenario.State, _ before: MaintenanceStatistics) {
            (self.view, self.state, self.before) = (view, state, before)
        }

        func expectWhole(byScan: Bool) throws {
            try expectEqual(view.sequence, state.model.sequence)
            try expectEqual(view.root, state.face.root)
            if byScan {
                try expect(view.dictionary() == state.model.entries, "a scan of sequence \(view.sequence) differs")
            } else {
                for (key, value) in state.model.entries {
                    try expect(view.get(key) == value, "a get in sequence \(view.sequence) differs")
                }
                try expect(view.get("no such key") == nil)
            }
        }
    }
}

extension Store {
    /// A state of the past; `nil` if it is not there any more, or no flush ends there.
    func viewIfRetained(at sequence: UInt64) throws -> View? {
        do throws(StoreError) { return try view(at: sequence) } catch {
            guard error.code == .notRetained || error.code == .invalidArgument else { throw error }
            return nil
        }
    }

    fileprivate func expectLock(on key: [UInt8], by id: String) throws {
        var code: StoreError.Code?
        do { try write { try $0.put(key, "not allowed") } } catch let error as StoreError { code = error.code }
        try expectEqual(code, .lockedByInDoubt(id: id), "writing what \(id) holds:")
    }
}

extension View {
    func dictionary() throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        try scan { key, value in
            found[Array(key)] = Array(value)
            return true
        }
        return found
    }
}
