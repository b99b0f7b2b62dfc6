import CommitLog
import Rootfast
import SQLite
import SeededRandom
import SpecSupport
import Testing

/// Nothing that is needed goes, and nothing that is not needed stays: wherever maintenance is cut short, and if the
/// newest snapshot turns out bad.
@Suite struct InterruptionLawTests {
    // MARK: - Cut short

    /// Tried in each case.
    private static let momentCount = 8

    @Test func `whatever cuts maintenance short, the next run leaves nothing over`() throws {
        try checkLaw("interrupted maintenance", cases: 150, reaching: Self.reaching) { choices, reach in
            let options = choices.crampedOptions()
            choices.note("\(options)")
            let scenario = try Scenario(options)
            for _ in 0..<choices.int(in: 5...30) {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action)")
                try scenario.act(action)
            }
            if choices.bool() {
                try Self.failACall(of: scenario, &choices, &reach)
            } else {
                try Self.crash(scenario, &choices, &reach)
            }
        }
    }

    private static let reaching = [
        "crash": 250, "call failed": 25, "found no room": 12, "failed and went on": 15,
        "a snapshot that was not read back": 20, "a segment whose file was still there": 50,
        "pages that no snapshot has": 40,
    ]

    private static func failACall(
        of scenario: Scenario, _ choices: inout Choices, _ reach: inout Reach
    ) throws {
        let errno: Int32 = choices.pick([5, 28])
        var left = choices.count(in: 1...150)
        scenario.disk.setFault { call, _ in
            guard errno == 5 || ["pwrite", "posix_fallocate", "openat", "renameat"].contains(call) else { return nil }
            left -= 1
            return left == 0 ? errno : nil
        }
        let end = try scenario.perform(.compact)
        scenario.disk.setFault(nil)
        choices.note("compact with a call failing: \(end)")
        if left <= 0 { reach.count(errno == 5 ? "call failed" : "found no room") }
        if end == .unknown {
            try scenario.goOn(with: scenario.disk.afterKill())
        } else {
            try expectEqual(StoreFace(scenario.store), scenario.model.face)
            if end == .refused { reach.count("failed and went on") }
        }
        try expectCleaningUp(scenario.store, on: scenario.disk, scenario.model, scenario.options)
    }

    private static func crash(_ scenario: Scenario, _ choices: inout Choices, _ reach: inout Reach) throws {
        scenario.watch()
        try scenario.act(.compact)
        scenario.disk.watch(nil)
        let moments = scenario.takeMoments()
        guard !moments.isEmpty else { return }
        for _ in 0..<momentCount {
            // Few calls lie between noting that a segment goes and its going.
            let removals = moments.filter { $0.call.hasPrefix("unlinkat log") || $0.call == "fsync log" }
            let moment = choices.pick(removals.isEmpty || !choices.oneIn(4) ? moments : removals)
            choices.note("crash at \(moment.call)")
            var random = SeededGenerator(seed: UInt64(choices.below(1 << 30)))
            let image = choices.bool() ? moment.disk.afterKill() : moment.disk.afterPowerLoss(&random)
            let verified = try noteLeftOvers(on: SimulatedDisk(files: image.files), &reach)
            let store = try Scenario.open(image, scenario.options)
            if let id = store.recovery.snapshotID {
                try expect(verified.isEmpty || verified.contains(id), "snapshot \(id) was never read back")
            }
            let index = try scenario.index(of: StoreFace(store), in: moment.allowed)
            try expectCleaningUp(store, on: image, scenario.states[index].model, scenario.options)
            reach.count("crash")
        }
    }

    /// Notes what a crash left behind. Returns the snapshots that were read back.
    private static func noteLeftOvers(on image: SimulatedDisk, _ reach: inout Reach) throws -> [UInt64] {
        guard let file = try StateTables(image) else { return [] }
        if try file.count("SELECT count(*) FROM snapshots WHERE NOT is_verified") > 0 {
            reach.count("a snapshot that was not read back")
        }
        if try file.pagesBeyondSnapshots() > 0 { reach.count("pages that no snapshot has") }
        for number in try file.reclaimedSegments() where image.files[LogNames.segment(number)] != nil {
            reach.count("a segment whose file was still there")
        }
        return try file.verifiedSnapshots()
    }

    /// Expects that the store is whole, and after one more compaction without a trace of what came before.
    private static func expectCleaningUp(
        _ store: Store, on disk: SimulatedDisk, _ model: StoreModel, _ options: Options
    ) throws {
        try store.expect(holding: model)
        try store.maintenance.compact()
        try store.expect(holding: model)
        try store.close()
        let report = try Store.check(disk, isBeingWritten: false, .deterministic())
        try expect(report.verdict != .damaged, "check says \(String(describing: report.damage))")
        try expectEqual(report.root, model.root)
        try expectEqual(report.leftOver, [])
        guard let file = try StateTables(disk) else { return }
        try expectEqual(try file.orphans(), [])
        try Scenario.open(disk, options).expect(holding: model)
    }

    // MARK: - A bad snapshot

    private enum Damage: CaseIterable {
        case root, hash, place, inDoubt, freeNumbers, rootPage, missingRootPage, anyPage
    }

    @Test func `if the newest snapshot is bad, the one before and the log lead to the same state`() throws {
        try checkLaw("a bad snapshot", cases: 200, reaching: Self.reachingDamage) { choices, reach in
            let options = choices.crampedOptions()
            choices.note("\(options)")
            let scenario = try Scenario(options)
            for _ in 0..<choices.int(in: 5...30) {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action)")
                try scenario.act(action)
            }
            while try scenario.store.maintenance.snapshots().count(where: \.isVerified) < 2 {
                let action = choices.busyAction(in: scenario)
                choices.note("\(action), and a snapshot")
                try scenario.act(action)
                try scenario.act(.snapshot)
            }
            try scenario.act(.retain)
            for _ in 0..<choices.below(6) { try scenario.act(choices.busyAction(in: scenario)) }
            var random = SeededGenerator(seed: UInt64(choices.below(1 << 30)))
            let image = choices.bool() ? scenario.disk.afterKill() : scenario.disk.afterPowerLoss(&random)
            let damage = choices.bool() ? .anyPage : choices.pick(Damage.allCases)
            choices.note("\(damage)")
            guard let older = try Self.damageNewest(on: image, damage, &random) else { return }
            try Self.expectRecovery(of: scenario, on: image, from: older, damage, &reach)
        }
    }

    private static let reachingDamage = [
        "went on from the one before": 40, "with votes": 12, "with log behind it": 40, "a page that nobody came to": 30,
        "a page that the log came to": 5, "the older one's segments were the first": 30,
    ]

    /// Damages the newest verified snapshot, if there is something to damage. Returns the id of the one before it.
    private static func damageNewest(
        on image: SimulatedDisk, _ damage: Damage, _ random: inout SeededGenerator
    ) throws -> UInt64? {
        guard let file = try StateTables(image, .readWrite) else { return nil }
        let verified = try file.verifiedSnapshots()
        try expect(verified.count >= 2, "of two verified snapshots \(verified) are left")
        let (newest, older) = (verified[0], verified[1])
        switch damage {
        case .root: try file.run("UPDATE snapshots SET root = tree WHERE id = ?", newest)
        case .hash: try file.run("UPDATE snapshots SET hash = root WHERE id = ?", newest)
        case .place: try file.run("UPDATE snapshots SET byte = byte + 1 WHERE id = ?", newest)
        case .inDoubt: try file.run("INSERT OR REPLACE INTO in_doubt VALUES (?, 1, 'x')", newest)
        case .freeNumbers: try file.run("DELETE FROM free_numbers WHERE snapshot = ?", newest)
        case .missingRootPage:
            guard try file.hasRootPageOfItsOwn(newest) else { return nil }
            try file.run("DELETE FROM pages WHERE id = (SELECT root_page FROM snapshots WHERE id = ?)", newest)
        case .rootPage:
            guard try file.hasRootPageOfItsOwn(newest) else { return nil }
            try file.flip(try file.rootPage(of: newest), &random)
        case .anyPage:
            guard let page = try file.pages(of: newest).randomElement(using: &random) else { return nil }
            try file.flip(page, &random)
        }
        return older
    }

    private static func expectRecovery(
        of scenario: Scenario, on image: SimulatedDisk, from older: UInt64, _ damage: Damage, _ reach: inout Reach
    ) throws {
        let segments = image.files.keys.compactMap { LogNames.segmentNumber(String($0.dropFirst(4))) }
        let store = try Scenario.open(image, scenario.options)
        let index = try scenario.index(of: StoreFace(store), in: scenario.durable...(scenario.states.count - 1))
        let model = scenario.states[index].model
        if store.recovery.badSnapshots.isEmpty {
            // A page that nobody came to yet. It is not taken for another, whoever comes to it.
            try expect(damage == .anyPage, "\(damage) is not found")
            try expectNothingWrong(in: store, model)
            return reach.count("a page that nobody came to")
        }
        try expectEqual(store.recovery.snapshotID, older)
        try store.expect(holding: model)
        reach.count("went on from the one before")
        if damage == .anyPage { reach.count("a page that the log came to") }
        if !model.inDoubt.isEmpty { reach.count("with votes") }
        if store.recovery.flushCount > 0 { reach.count("with log behind it") }
        if try store.maintenance.snapshots()[0].segment == segments.min() {
            reach.count("the older one's segments were the first")
        }
        try expectCleaningUp(store, on: image, model, scenario.options)
    }

    /// Expects each key to be as it should, or damaged.
    private static func expectNothingWrong(in store: Store, _ model: StoreModel) throws {
        for (key, value) in model.entries {
            do {
                try expect(store.get(key) == value, "a get of \(key) differs")
            } catch let error as StoreError {
                try expectEqual(error.code, .corrupt)
            }
        }
    }
}
