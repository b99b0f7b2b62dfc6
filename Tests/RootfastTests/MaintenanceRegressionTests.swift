import CommitLog
import Rootfast
import SQLite
import SeededRandom
import SpecSupport
import Testing

/// Faults of snapshots, retention and what is told of outcomes that were found and mended, each with its story.
@Suite struct MaintenanceRegressionTests {
    static func open(
        _ disk: SimulatedDisk, creating: Bool = false, _ change: (inout Options) -> Void = { _ in }
    ) throws -> Store {
        var options = SimulatedMaintenanceTests.options
        options.compaction = .none
        options.snapshotsOnClose = false
        change(&options)
        return try Store.open(disk, creating: creating, options: options, environment: .deterministic())
    }

    /// Commits a state of a dozen pages, each of which changes with the round.
    static func fill(_ store: Store, round: Int) throws {
        try store.write { tx in for i in 0..<300 { try tx.put("key \(i)", value(i, round)) } }
    }

    private static func value(_ i: Int, _ round: Int) -> String {
        "\(round) of \(i) " + String(repeating: "v", count: 100)
    }

    static func expect(_ view: View, showing round: Int, _ what: Comment? = nil) throws {
        for i in 0..<300 { try #require(try view.get("key \(i)") == utf8(value(i, round)), what) }
        #expect(try definedRoot(view) == view.root, what)
    }

    /// Steps until the newest snapshot is in the file, and not read back yet.
    private static func stepUntilUnverified(_ store: Store) throws {
        while try !store.maintenance.snapshots().contains(where: { !$0.isVerified }) {
            try #require(try store.maintenance.step())
        }
    }

    /// Makes the snapshot that is being taken fail as it is read back.
    private static func failReadingBack(_ store: Store, _ disk: SimulatedDisk) throws {
        disk.setFault { call, name in call == "pread" && name.hasPrefix("state.sqlite") ? 5 : nil }
        defer { disk.setFault(nil) }
        #expect(throws: StoreError.self) { while try store.maintenance.step() {} }
    }

    /// Retention decided in one step and acted in the next. A view taken in between, of a snapshot that was to go, pinned it
    /// in vain: its pages were removed under it.
    @Test func `a view taken between two steps of retention keeps its snapshot`() throws {
        var (kept, gone) = (0, 0)
        for stepCount in 0..<10 {
            let disk = SimulatedDisk()
            let store = try Self.open(disk, creating: true)
            for round in 1...4 {
                try Self.fill(store, round: round)
                try store.maintenance.takeSnapshot()
            }
            for _ in 0..<stepCount { try store.maintenance.step() }
            let view = try? store.view(at: 2)
            while try store.maintenance.step() {}
            guard let view else {
                gone += 1
                continue
            }
            try Self.expect(view, showing: 2, "after \(stepCount) steps")
            #expect(try store.maintenance.snapshots().map(\.id) == [2, 3, 4])
            kept += 1
        }
        #expect(kept > 0 && gone > 0)
    }

    /// A snapshot is in the file before it was read back. After a crash in between recovery went on from it, and the next
    /// snapshots read back only what they added: a page that had been written wrong stayed the only copy once the log
    /// before was gone.
    @Test func `recovery does not go on from a snapshot that was never read back`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true) { $0.compaction.commitCount = 1 }
        try Self.fill(store, round: 1)
        try store.maintenance.takeSnapshot()
        try Self.fill(store, round: 2)
        try Self.stepUntilUnverified(store)

        let image = disk.afterKill()
        try Self.damageAPage(addedAfter: 1, on: image)
        let again = try Self.open(image)
        #expect(again.recovery.snapshotID == 1)
        for i in 0..<3 {
            try again.write { try $0.put("another", "\(i)") }
            try again.maintenance.compact()
        }
        try again.close()
        try Self.expect(Self.open(image).view, showing: 2)
        #expect(try Store.checking(image).verdict == .sound)
    }

    /// Flips a bit of a page that came after a snapshot, but not of a root page.
    private static func damageAPage(addedAfter snapshot: UInt64, on disk: SimulatedDisk) throws {
        let location = disk.database("state.sqlite")
        let file = try Connection(path: location.path, vfs: location.vfs, .readWrite)
        let page = try file.row(
            """
            SELECT id, image FROM pages WHERE id > (SELECT last_page FROM snapshots WHERE id = ?) \
            AND id NOT IN (SELECT root_page FROM snapshots) ORDER BY id LIMIT 1
            """, .number(snapshot)
        ) { (id: $0.number(0), image: $0.blob(1)) }
        let (id, bytes) = try #require(page)
        var image = bytes
        image[image.count / 2] ^= 4
        try file.run("UPDATE pages SET image = ? WHERE id = ?", .blob(image), .number(id))
    }

    /// A view of the past could be made from a snapshot that was still being taken. When that could not be read back it was
    /// given up, the next one took its pages' numbers, and the view was damaged.
    @Test func `a view is not made from a snapshot that may yet be given up`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true) { $0.compaction.commitCount = 1 }
        try Self.fill(store, round: 1)
        try store.maintenance.takeSnapshot()
        try Self.fill(store, round: 2)
        try Self.stepUntilUnverified(store)
        try Self.fill(store, round: 3)
        let view = try store.view(at: 2)
        try Self.failReadingBack(store, disk)
        try Self.fill(store, round: 4)
        try store.maintenance.takeSnapshot()
        try Self.expect(view, showing: 2)
    }

    /// Under `.async` a second transaction with the same id was told at once what became of the first, which a power loss
    /// could then undo: told "committed", and nothing was.
    @Test func `what became of a transaction is told only once it is durable`() throws {
        var random = SeededGenerator(seed: 1)
        let disk = SimulatedDisk()
        func open(_ disk: SimulatedDisk, creating: Bool = false) throws -> Store {
            try Self.open(disk, creating: creating) { $0.durability = .async(interval: .seconds(3600)) }
        }
        let store = try open(disk, creating: true)
        try store.write(id: "a") { try $0.put("key", "a") }
        #expect(try open(disk.afterKill()).outcome(of: "a") == .unknown, "it is durable without being asked for")
        expectError(.duplicateID(.committed(sequence: 1))) { try store.write(id: "a") { try $0.put("key", "b") } }
        for _ in 0..<20 {
            #expect(try open(disk.afterPowerLoss(&random)).outcome(of: "a") == .committed(sequence: 1))
        }
        try store.write(id: "b") { try $0.put("key", "b") }
        expectError(.alreadyDecided(.committed(sequence: 2))) { try store.abort("b") }
        for _ in 0..<20 {
            #expect(try open(disk.afterPowerLoss(&random)).outcome(of: "b") == .committed(sequence: 2))
        }
    }

    /// A snapshot that was given up had already removed the outcomes that were to be forgotten. The next one went on from the
    /// sum with them, and `check` called the outcomes damaged.
    @Test func `the sum of outcomes is right after a snapshot that was given up`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true) {
            $0.outcomeCountMax = 3
            $0.compaction.commitCount = 5
        }
        func commit(_ numbers: ClosedRange<Int>) throws {
            for i in numbers { try store.write(id: "t\(i)") { try $0.put("key", "\(i)") } }
        }
        try commit(1...4)
        try store.maintenance.takeSnapshot()
        try commit(5...12)
        try Self.stepUntilUnverified(store)
        try Self.failReadingBack(store, disk)
        try commit(13...13)
        try store.maintenance.takeSnapshot()
        try store.close()
        let report = try Store.checking(disk)
        #expect(report.verdict == .sound, "\(String(describing: report.damage))")
        let again = try Self.open(disk) { $0.outcomeCountMax = 3 }
        for i in 11...13 { #expect(try again.outcome(of: "t\(i)") == .committed(sequence: UInt64(i))) }
        #expect(try again.outcome(of: "t10") == .unknown)
    }

    /// The snapshot that was given up had removed outcomes, and only the next attempt knew: when that failed as well, the one
    /// after it went on from the wrong sum. What a snapshot forgets stays now until it has been read back.
    @Test func `the sum of outcomes is right after two snapshots that were given up`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true) {
            $0.outcomeCountMax = 3
            $0.compaction.commitCount = 5
        }
        func commit(_ numbers: ClosedRange<Int>) throws {
            for i in numbers { try store.write(id: "t\(i)") { try $0.put("key", "\(i)") } }
        }
        try commit(1...4)
        try store.maintenance.takeSnapshot()
        try commit(5...12)
        try Self.stepUntilUnverified(store)
        #expect(try Store.checking(disk.afterKill()).verdict == .sound)
        try Self.failReadingBack(store, disk)
        disk.setFault { call, name in call == "pwrite" && name.hasPrefix("state.sqlite") ? 28 : nil }
        expectError(.noSpace) { try store.maintenance.takeSnapshot() }
        disk.setFault(nil)
        #expect(try Store.checking(disk.afterKill()).verdict == .sound)
        try commit(13...13)
        try store.maintenance.takeSnapshot()
        try store.close()
        let report = try Store.checking(disk)
        #expect(report.verdict == .sound, "\(String(describing: report.damage))")
        #expect(report.outcomeCount == 3)
    }

    /// A snapshot that was lost had forgotten outcomes that the one before still counts.
    @Test func `the sum of outcomes is right after the newest snapshot was lost`() throws {
        let disk = SimulatedDisk()
        func open(creating: Bool = false) throws -> Store {
            try Self.open(disk, creating: creating) { $0.outcomeCountMax = 3 }
        }
        var store = try open(creating: true)
        func commit(_ numbers: ClosedRange<Int>) throws {
            for i in numbers { try store.write(id: "t\(i)") { try $0.put("key", "\(i)") } }
        }
        try commit(1...4)
        try store.maintenance.takeSnapshot()
        try commit(5...6)
        try store.maintenance.takeSnapshot()
        try store.close()
        let location = disk.database("state.sqlite")
        try Connection(path: location.path, vfs: location.vfs, .readWrite).execute(
            "UPDATE snapshots SET hash = 'another' WHERE id = 2")
        store = try open()
        #expect(store.recovery.snapshotID == 1 && store.recovery.badSnapshots.count == 1)
        #expect(try Store.checking(disk.afterKill()).verdict == .sound)
        try commit(7...7)
        try store.maintenance.takeSnapshot()
        for i in 5...7 { #expect(try store.outcome(of: "t\(i)") == .committed(sequence: UInt64(i))) }
        try store.close()
        let report = try Store.checking(disk)
        #expect(report.verdict == .sound, "\(String(describing: report.damage))")
    }

    /// A retention that could not be done was tried again and again, and came before each snapshot: so none was taken, and the
    /// log grew without end.
    @Test func `a retention that fails keeps no snapshot from being taken`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true) { $0.compaction.commitCount = 5 }
        disk.setFault { call, name in call == "unlinkat" && name.hasSuffix(".jsonl") ? 1 : nil }
        var failureCount = 0
        for round in 1...40 {
            try Self.fill(store, round: round)
            do { while try store.maintenance.step() {} } catch { failureCount += 1 }
        }
        #expect(failureCount > 1)
        #expect(store.maintenance.statistics.snapshotCount >= 5)
        disk.setFault(nil)
        try store.maintenance.retain()
        try store.close()
        #expect(try Store.checking(disk).verdict == .sound)
    }

    /// The time that the barrier took was the difference of two readings of a clock that may be set back between them.
    @Test func `a clock that is set back during a snapshot is no trouble`() throws {
        for moment in 1..<40 {
            let clock = Clock(setBackAt: moment)
            var environment = Environment.deterministic()
            environment.now = { clock.now() }
            var options = SimulatedMaintenanceTests.options
            options.compaction = .none
            let store = try Store.open(SimulatedDisk(), creating: true, options: options, environment: environment)
            try store.write { try $0.put("a", "1") }
            try store.maintenance.takeSnapshot()
        }
    }

    /// Ticks a microsecond a call, and is set back once by some. `@unchecked Sendable`, because one thread uses it.
    private final class Clock: @unchecked Sendable {
        private var time: UInt64 = 1_763_690_000_000_000
        private var callsLeft: Int

        init(setBackAt call: Int) { callsLeft = call }

        func now() -> UInt64 {
            callsLeft -= 1
            time += 1
            if callsLeft == 0 { time -= 1000 }
            return time
        }
    }

    /// A segment that was kept by hand left a hole behind it when later ones went. `check` wanted to read all of the log from
    /// the first segment on, and a state in the hole was an I/O error.
    @Test func `a segment kept by hand while later ones go is no damage`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true)
        for round in 1...6 {
            try Self.fill(store, round: round)
            try store.maintenance.takeSnapshot()
        }
        try store.maintenance.undeprecate(.segment(1))
        try store.maintenance.retain()
        #expect(try store.maintenance.segments().map(\.number) == [1, 6, 7])
        try Self.expect(store.view(at: 1), showing: 1)
        expectError(.notRetained) { _ = try store.view(at: 3) }
        try Self.expect(store.view(at: 5), showing: 5)
        try store.close()
        let report = try Store.checking(disk)
        #expect(report.verdict == .sound, "\(String(describing: report.damage))")
        try Self.expect(Self.open(disk).view, showing: 6)
    }

    /// A segment whose first line could not be read when the catalogue was written was left out, and so was never looked at
    /// again, as later ones were in: it stayed for good.
    @Test func `a segment that could not be read once is catalogued by the next snapshot`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true)
        try Self.fill(store, round: 1)
        try store.maintenance.seal()
        try Self.fill(store, round: 2)
        var failureCount = 0
        disk.setFault { call, name in
            guard call == "pread", name == LogNames.segment(1) else { return nil }
            failureCount += 1
            return 5
        }
        try store.maintenance.takeSnapshot()
        disk.setFault(nil)
        #expect(failureCount > 0)
        func catalogued() throws -> [UInt64] {
            try store.maintenance.segments().filter { $0.firstSequence != nil }.map(\.number)
        }
        #expect(try catalogued() == [2])
        try Self.fill(store, round: 3)
        try store.maintenance.takeSnapshot()
        #expect(try catalogued() == [1, 2, 3])
        try store.maintenance.retain()
        #expect(try !store.maintenance.segments().contains { $0.number == 1 })
    }

    /// Taking something back by hand was not synced where it came between the steps of a snapshot, whose pages need no
    /// sync of their own: retention then took what was to be kept.
    @Test func `what is kept by hand is kept after any power loss`() throws {
        var random = SeededGenerator(seed: 2)
        for stepCount in 0..<8 {
            let disk = SimulatedDisk()
            let store = try Self.open(disk, creating: true) { $0.compaction.commitCount = 1 }
            try Self.fill(store, round: 1)
            try store.maintenance.takeSnapshot()
            try Self.fill(store, round: 2)
            for _ in 0..<stepCount { try store.maintenance.step() }
            try store.maintenance.undeprecate(.snapshot(1))
            for _ in 0..<10 {
                let again = try Self.open(disk.afterPowerLoss(&random))
                #expect(try again.maintenance.snapshots()[0].isKept, "after \(stepCount) steps")
            }
        }
    }

    /// A snapshot that was deprecated by hand while it was being read back was told to be damaged, and given up.
    @Test func `a snapshot may be deprecated while it is being made`() throws {
        var deprecatedCount = 0
        for stepCount in 0..<20 {
            let disk = SimulatedDisk()
            let store = try Self.open(disk, creating: true) { $0.compaction.commitCount = 1 }
            try Self.fill(store, round: 1)
            for _ in 0..<stepCount { try store.maintenance.step() }
            guard let snapshot = try store.maintenance.snapshots().last, !snapshot.isVerified else { continue }
            try store.maintenance.deprecate(.snapshot(snapshot.id))
            deprecatedCount += 1
            while try store.maintenance.step() {}
            #expect(try store.maintenance.snapshots().last?.isVerified == true, "after \(stepCount) steps")
            try Self.expect(Self.open(disk.afterKill()).view, showing: 1)
        }
        #expect(deprecatedCount > 0)
    }

    /// A state of the past was read up to the end of the segment with its last commit. A vote behind that, in the next
    /// segment, was not in what was restored, and one that had been given up there was in doubt again.
    @Test func `a vote in a later segment than the last commit is restored`() throws {
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try SnapshotTests.open(folder.path)
        _ = try store.prepare("early") { try $0.put("given", "up") }
        try store.write { try $0.put("key", "value") }
        try store.maintenance.seal()
        try store.abort("early")
        _ = try store.prepare("late") { try $0.put("voted", "1") }
        try store.close()
        try Store.restore(from: folder.path, to: copy.path)
        let restored = try SnapshotTests.open(copy.path)
        #expect(try restored.inDoubt().map(\.id) == ["late"])
        #expect(try restored.outcome(of: "early") == .aborted)
    }
}
