import CommitLog
import Hashing
import Rootfast
import SQLite
import SeededRandom
import SpecSupport
import Testing

/// Snapshots, compaction and retention on the simulated disk, step by step among commits: whatever call a crash comes
/// at, the store is back with all that was acknowledged.
@Suite struct SimulatedMaintenanceTests {
    static var options: Options {
        var options = Options()
        options.maintainsItself = false
        options.segmentBytesMax = 8192
        options.compaction.commitCount = 5
        options.retention.grace = .zero
        options.retention.snapshots = .init(count: 1)
        options.retention.segments = .init(count: 0)
        return options
    }

    static func open(_ disk: SimulatedDisk, creating: Bool = false) throws -> Store {
        try Store.open(disk, creating: creating, options: options, environment: .deterministic())
    }

    /// What a store shows: its root by sequence, and who is in doubt.
    struct State: Hashable {
        var sequence: UInt64
        var root: Digest
        var inDoubt: [String]

        init(_ store: Store) throws {
            (sequence, root) = (store.view.sequence, store.root)
            inDoubt = try store.inDoubt().map(\.id).sorted()
        }
    }

    /// A run of commits, votes and decisions, with maintenance advancing between them.
    struct Run {
        let disk = SimulatedDisk()
        let store: Store
        let moments: Moments
        /// The states that were acknowledged, in order.
        private(set) var states: [State]
        private(set) var steps = 0

        init(seed: UInt64, actions: Int, watched: Bool = true) throws {
            var rng = SeededGenerator(seed: seed)
            store = try SimulatedMaintenanceTests.open(disk, creating: true)
            states = [try State(store)]
            moments = Moments(watched ? disk : SimulatedDisk())
            for i in 0..<actions {
                moments.acknowledged = states.count - 1
                if rng.oneIn(2) {
                    if try store.maintenance.step() { steps += 1 }
                } else {
                    try act(i, &rng)
                    states.append(try State(store))
                }
            }
            disk.watch(nil)
        }

        private func act(_ i: Int, _ rng: inout SeededGenerator) throws {
            let inDoubt = states.last!.inDoubt
            switch Int.random(in: 0..<8, using: &rng) {
            case 0: _ = try store.prepare("vote \(i)") { try $0.put("voted \(i)", "\(i)") }
            case 1 where !inDoubt.isEmpty: try store.commit(inDoubt.randomElement(using: &rng)!)
            case 2 where !inDoubt.isEmpty: try store.abort(inDoubt.randomElement(using: &rng)!)
            default:
                try store.write { tx in
                    for _ in 0..<Int.random(in: 1...6, using: &rng) {
                        let key = utf8("key \(Int.random(in: 0..<200, using: &rng))")
                        try tx.put(key, rng.bytes(rng.oneIn(8) ? 2000 : 60))
                    }
                }
            }
        }

        /// What may be found after a crash at a moment: what was acknowledged, or that and what was under way.
        func allowed(_ acknowledged: Int) -> ArraySlice<State> {
            states[acknowledged..<min(acknowledged + 2, states.count)]
        }
    }

    /// What the images of a run made recovery do.
    struct Reached {
        var images = 0
        var fromSnapshot = 0
        var replayed = 0
        var withLog = 0
        var passedOver = 0
        var torn = 0
        var reclaimed = 0

        mutating func note(_ image: SimulatedDisk, _ store: Store, _ walByteCount: Int) {
            images += 1
            let report = store.recovery
            if report.snapshotID != nil { fromSnapshot += 1 }
            if report.snapshotID != nil, report.flushCount > 0 { replayed += 1 }
            if walByteCount > 32 { withLog += 1 }
            if !report.badSnapshots.isEmpty { passedOver += 1 }
            if report.tornTail != nil { torn += 1 }
            if image.files[LogNames.segment(1)] == nil { reclaimed += 1 }
        }
    }

    @Test(arguments: [false, true])
    func `a crash at any call of maintenance and commits loses nothing`(powerLoss: Bool) throws {
        var reached = Reached()
        for seed in UInt64(1)...4 {
            var rng = SeededGenerator(seed: seed)
            let run = try Run(seed: seed, actions: 150)
            for (i, (moment, acknowledged)) in run.moments.all.enumerated() {
                let image = powerLoss ? moment.afterPowerLoss(&rng) : moment.afterKill()
                let walByteCount = image.files["state.sqlite-wal"]?.count ?? 0
                let what = Comment(rawValue: "seed \(seed), call \(i)")
                if i % 8 == 0 {
                    let report = try Store.checking(image)
                    #expect(report.verdict != .damaged, "\(what): \(String(describing: report.damage))")
                }
                let store = try Self.open(image)
                let state = try State(store)
                #expect(run.allowed(acknowledged).contains(state), what)
                reached.note(image, store, walByteCount)
                guard i % 8 == 0 else { continue }
                // What comes next cleans up, and leaves the store as sound as if nothing had happened.
                try store.maintenance.compact()
                #expect(try State(store) == state, what)
                #expect(try store.root == definedRoot(store.view), what)
                try store.close()
                let report = try Store.checking(image)
                #expect(report.verdict != .damaged && report.leftOver.isEmpty && report.root == state.root, what)
            }
        }
        print("\(powerLoss ? "power losses" : "kills"): \(reached)")
        #expect(reached.images > 2000 && reached.fromSnapshot > 1000 && reached.replayed > 500)
        #expect(reached.withLog > 300 && reached.reclaimed > 300)
        #expect(!powerLoss || reached.torn > 20)
        // A crash damages no snapshot, and nothing that may be told as one.
        #expect(reached.passedOver == 0)
    }

    /// A store with a verified snapshot of many pages, and a newer one of a few of them that is not read back yet.
    private static func unfinished() throws -> (disk: SimulatedDisk, store: Store) {
        let disk = SimulatedDisk()
        let store = try open(disk, creating: true)
        try store.write { tx in for i in 0..<500 { try tx.put("key \(i)", "0") } }
        try store.maintenance.compact()
        for round in 1...5 { try store.write { try $0.put("key 7", "\(round)") } }
        while try store.maintenance.snapshots().count < 2 { try #require(try store.maintenance.step()) }
        try #require(store.maintenance.snapshots().map(\.isVerified) == [true, false])
        return (disk, store)
    }

    @Test func `nothing stands on a snapshot that was not read back`() throws {
        let (disk, store) = try Self.unfinished()
        let state = try State(store)
        let image = disk.afterKill()
        let database = image.database("state.sqlite")
        try Connection(path: database.path, vfs: database.vfs, .readWrite).execute(
            "UPDATE pages SET image = zeroblob(64) WHERE id = (SELECT max(id) FROM pages)")
        let again = try Self.open(image)
        #expect(again.recovery.snapshotID == 1)
        #expect(try State(again) == state)
        #expect(try definedRoot(again.view) == state.root)
        try again.maintenance.compact()
        try again.close()
        #expect(try Store.checking(image).verdict == .sound)
    }

    @Test func `a view of the past keeps the snapshot it reads, though a newer one is under way`() throws {
        let (_, store) = try Self.unfinished()
        try store.write { try $0.put("key 8", "1") }
        let past = try store.view(at: 6)
        for round in 1...4 {
            try store.write { tx in for i in 0..<500 { try tx.put("key \(i)", "later \(round)") } }
            try store.maintenance.compact()
        }
        #expect(try store.maintenance.snapshots().map(\.id).contains(1))
        #expect(try definedRoot(past) == past.root)
        #expect(try past.get("key 7") == utf8("5") && past.get("key 400") == utf8("0"))
    }

    @Test func `a snapshot in the middle of a segment waits until all that is applied is durable`() throws {
        let disk = SimulatedDisk()
        var options = Self.options
        options.durability = .async(interval: .seconds(3600))
        options.compaction = .none
        options.memoryBytesMax = 1 << 20
        options.segmentBytesMax = 64 << 20
        func open(_ disk: SimulatedDisk, creating: Bool) throws -> Store {
            try Store.open(disk, creating: creating, options: options, environment: .deterministic())
        }
        let store = try open(disk, creating: true)
        let value = String(repeating: "v", count: 1500)
        for i in 1...500 { try store.write(id: "t\(i)") { try $0.put("key \(i)", value) } }
        while try store.maintenance.step() {}
        let snapshot = try #require(try store.maintenance.snapshots().last)
        #expect(snapshot.reason == .memory && snapshot.sequence == 500)
        let again = try open(disk.afterKill(), creating: false)
        #expect(again.recovery.snapshotID == snapshot.id && again.view.sequence == 500)
        #expect(try again.outcome(of: "t500") == .committed(sequence: 500))
    }

    @Test func `the same seed makes the same calls`() throws {
        func trace() throws -> [String] {
            let disk = SimulatedDisk()
            var calls: [String] = []
            disk.watch { call, name, _ in calls.append("\(call) \(name)") }
            let store = try Self.open(disk, creating: true)
            for i in 0..<30 {
                try store.write { try $0.put("key \(i % 7)", "\(i)") }
                try store.maintenance.step()
            }
            disk.watch(nil)
            try store.close()
            return calls
        }
        let first = try trace()
        #expect(try first == trace())
        #expect(first.count { $0.contains("state.sqlite-wal") } > 50)
    }

    @Test func `a call that fails in maintenance leaves the store as it was, and the next run succeeds`() throws {
        var failures = 0
        for point in 1...400 {
            let run = try Run(seed: 9, actions: 40, watched: false)
            let state = try State(run.store)
            var calls = 0
            run.disk.setFault { call, name in
                guard name.hasPrefix("state.sqlite") else { return nil }
                calls += 1
                return calls == point ? 5 : nil
            }
            do {
                try run.store.maintenance.compact()
                if calls < point { break }
            } catch {
                failures += 1
            }
            run.disk.setFault(nil)
            #expect(try State(run.store) == state, "call \(point)")
            let again = try Self.open(run.disk.afterKill())
            #expect(try State(again) == state, "call \(point)")
            try again.maintenance.compact()
            #expect(try State(again) == state, "call \(point)")
        }
        #expect(failures > 30)
    }

    /// A kill while the state file was being made left it without tables or with a journal to roll back. Check called that
    /// damage, it was set aside as such, or retention failed at it for ever, and no snapshot was ever due again.
    @Test func `killed at any call of the first snapshot, the store is sound and takes it by itself`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true)
        for i in 0..<5 { try store.write { try $0.put("key \(i)", "\(i)") } }
        let moments = Moments(disk)
        while try store.maintenance.step() {}
        disk.watch(nil)
        var unmade = 0
        for (i, (moment, _)) in moments.all.enumerated() {
            let image = moment.afterKill()
            #expect(try Store.checking(image).verdict == .sound, "call \(i)")
            let again = try Self.open(image)
            if again.recovery.snapshotID == nil { unmade += 1 }
            #expect(again.recovery.badSnapshots.isEmpty && again.root == store.root, "call \(i)")
            for j in 0..<5 { try again.write { try $0.put("key \(j)", "again") } }
            while try again.maintenance.step() {}
            #expect(again.maintenance.statistics.snapshotCount >= 1, "call \(i)")
            try again.close()
            #expect(try Store.checking(image).verdict == .sound, "call \(i)")
        }
        #expect(unmade > 30 && unmade < moments.all.count)
    }

    /// A connection that had been opened before the file got another name went on reading that one, and no snapshot could be
    /// verified until the store was opened again.
    @Test(arguments: [false, true])
    func `a state file that is not this store's is set aside, and the next snapshots are sound`(isForeign: Bool) throws
    {
        let (disk, other) = (SimulatedDisk(), SimulatedDisk())
        for (each, environment) in [(disk, Environment.deterministic()), (other, .deterministic(seed: 2))] {
            let store = try Store.open(each, creating: true, options: Self.options, environment: environment)
            try store.write { try $0.put("key", "value") }
            if each === other { try store.maintenance.takeSnapshot() }
            try store.close()
        }
        var files = disk.files
        files["state.sqlite"] = isForeign ? other.files["state.sqlite"]! : [UInt8](repeating: 7, count: 8192)
        let image = SimulatedDisk(files: files)
        let store = try Self.open(image)
        #expect(store.recovery.badSnapshots.count == 1)
        #expect(image.files["state.sqlite.bad"] == files["state.sqlite"])
        try store.maintenance.compact()
        #expect(try store.get("key") == utf8("value"))
        try store.close()
        #expect(try Store.checking(image).verdict == .sound)
    }

    /// An error of the disk was once taken for damage: the newest snapshot, or the whole state file, was discarded for it.
    @Test func `a call that fails while a store is opened discards no snapshot`() throws {
        let run = try Run(seed: 3, actions: 60, watched: false)
        try run.store.maintenance.compact()
        try run.store.write { try $0.put("later", "1") }
        let state = try State(run.store)
        let snapshots = try run.store.maintenance.snapshots()
        var refusals = 0
        for point in 1...400 {
            let disk = run.disk.afterKill()
            var calls = 0
            disk.setFault { _, name in
                guard name.hasPrefix("state.sqlite") else { return nil }
                calls += 1
                return calls == point ? 5 : nil
            }
            do {
                _ = try Self.open(disk)
                if calls < point { break }
            } catch let error as StoreError {
                refusals += 1
                guard case .inputOutput = error.code else { throw error }
            }
            disk.setFault(nil)
            let again = try Self.open(disk.afterKill())
            #expect(try State(again) == state, "call \(point)")
            #expect(again.recovery.badSnapshots.isEmpty, "call \(point)")
            #expect(try again.maintenance.snapshots() == snapshots, "call \(point)")
        }
        #expect(refusals > 5)
    }
}
