import CommitLog
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// In doubt: a vote survives everything but its decision, its locks hold meanwhile, decisions can be repeated, and no
/// snapshot or compaction loses one.
@Suite struct InDoubtLawTests {
    private static let reaching = [
        "vote survived a crash": 2000, "vote survived a snapshot and a crash": 500, "lock held": 2000,
        "decision repeated": 500, "decided the other way": 500, "id refused": 500, "vote under way": 20,
    ]

    @Test func `a vote survives everything but its decision, with its locks, and decisions can be repeated`() throws {
        try checkLaw("in doubt", cases: 150, reaching: Self.reaching) { choices, reach in
            let scenario = try Scenario(choices.options())
            scenario.watch()
            for _ in 0..<30 {
                let action = choices.voting(in: scenario)
                choices.note("\(action)")
                _ = try scenario.perform(action)
                var random = SeededGenerator(seed: UInt64(choices.below(1 << 30)))
                for moment in scenario.takeMoments() where random.oneIn(4) {
                    let image = random.oneIn(2) ? moment.disk.afterKill() : moment.disk.afterPowerLoss(&random)
                    let store = try Scenario.open(image, scenario.options)
                    let index = try scenario.index(of: StoreFace(store), in: moment.allowed)
                    if moment.allowed.count > 1, index > moment.allowed.lowerBound { reach.count("vote under way") }
                    try Self.probe(store, scenario.states[index].model, isAfterCrash: true, &reach)
                }
                try Self.probe(scenario.store, scenario.model, isAfterCrash: false, &reach)
            }
        }
    }

    /// Tries a store with transactions in doubt: locks, ids, decisions. What it changes is not gone on with, if it is one
    /// after a crash; otherwise it changes nothing.
    private static func probe(
        _ store: Store, _ model: StoreModel, isAfterCrash: Bool, _ reach: inout Reach
    ) throws {
        let before = try StoreFace(store)
        for (id, changes) in model.inDoubt.sorted(by: { $0.key < $1.key }) {
            try expectEqual(store.outcome(of: id), .inDoubt)
            try expectCode(.lockedByInDoubt(id: id)) { try store.write { try $0.put(changes[0].key, "other") } }
            try expectCode(.lockedByInDoubt(id: id)) {
                _ = try store.prepare("another") { try $0.delete(changes.last!.key) }
            }
            reach.count("lock held", 2)
            try expectCode(.duplicateID(.inDoubt)) { try store.write(id: id) { try $0.put("free", "") } }
            reach.count("id refused")
        }
        try expectEqual(StoreFace(store), before, "what was refused changed nothing")
        guard isAfterCrash else { return }
        reach.count("vote survived a crash", model.inDoubt.count)
        if store.recovery.snapshotID != nil { reach.count("vote survived a snapshot and a crash", model.inDoubt.count) }
        try decideAll(store, model, &reach)
    }

    /// Decides every other one each way, twice, and once the wrong way.
    private static func decideAll(_ store: Store, _ model: StoreModel, _ reach: inout Reach) throws {
        var model = model
        for (i, id) in model.inDoubt.keys.sorted().enumerated() {
            model.decide(id, commits: i % 2 == 0)
            for _ in 0..<2 {
                if i % 2 == 0 {
                    try expectEqual(store.commit(id).sequence, model.sequence)
                } else {
                    try store.abort(id)
                }
                reach.count("decision repeated")
            }
            try expectCode(.alreadyDecided(model.outcomes[id]!)) {
                if i % 2 == 0 { try store.abort(id) } else { try store.commit(id) }
            }
            reach.count("decided the other way")
        }
        try store.expect(holding: model)
    }

    private static func expectCode(_ code: StoreError.Code, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as StoreError {
            return try expectEqual(error.code, code)
        }
        try expect(false, "nothing is thrown, and \(code) was to be")
    }
}

extension Choices {
    /// An action among which votes, decisions, snapshots and new openings are frequent.
    fileprivate mutating func voting(in scenario: Scenario) -> Scenario.Action {
        for _ in 0..<3 {
            switch action(in: scenario) {
            case .write: continue
            case let other: return other
            }
        }
        return oneIn(3) ? .reopen : .compact
    }
}
