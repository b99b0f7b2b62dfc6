import CommitLog
import Hashing
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// What is kept, what goes, and when.
@Suite struct RetentionTests {
    /// A store with some snapshots and sealed segments.
    static func sample(_ folder: TemporaryFolder, _ change: (inout Options) -> Void) throws -> Store {
        let store = try SnapshotTests.open(folder.path, change)
        for round in 0..<6 {
            for i in 0..<20 { try store.write { try $0.put("key \(i)", "\(round)") } }
            try store.maintenance.seal()
            try store.maintenance.takeSnapshot()
        }
        return store
    }

    static func files(_ path: String) throws -> Set<String> {
        Set(try run("/bin/ls", path + "/log").split(separator: "\n").map(String.init))
    }

    @Test func `a dry run names what the run then removes, file by file`() throws {
        let folder = TemporaryFolder()
        let store = try Self.sample(folder) { $0.retention.snapshots = .init(count: 3) }
        let before = try Self.files(folder.path)
        let snapshotsBefore = Set(try store.maintenance.snapshots().map(\.id))
        let plan = try store.maintenance.retain(isDry: true)
        #expect(try Self.files(folder.path) == before)
        #expect(plan.allSatisfy { !$0.reason.isEmpty })
        let done = try store.maintenance.retain()
        #expect(done == plan)
        let segments = plan.compactMap { $0.action == .reclaim && $0.file != "state.sqlite" ? $0.file : nil }
        #expect(before.subtracting(try Self.files(folder.path)) == Set(segments.map { String($0.dropFirst(4)) }))
        #expect(!segments.isEmpty)
        let gone = plan.compactMap { decision -> UInt64? in
            if case .snapshot(let id) = decision.item, decision.action == .reclaim { id } else { nil }
        }
        #expect(snapshotsBefore.subtracting(try store.maintenance.snapshots().map(\.id)) == Set(gone))
        #expect(gone.count == 3)
        try store.close()
        #expect(try Store.check(folder.path).verdict == .sound)
    }

    @Test func `what recovery needs stays, whatever the limits`() throws {
        let folder = TemporaryFolder()
        let store = try Self.sample(folder) {
            $0.retention.snapshots = .init(age: .zero, byteCount: 0, count: 0, commitCount: 0)
            $0.retention.segments = .init(age: .zero, byteCount: 0, count: 0, commitCount: 0)
        }
        try store.maintenance.retain()
        #expect(try store.maintenance.snapshots().map(\.id) == [5, 6])
        #expect(try store.maintenance.segments().map(\.number) == [6, 7])
        let root = store.root
        try store.close()
        #expect(try SnapshotTests.open(folder.path).root == root)
    }

    @Test func `what is deprecated stays for its grace time and can be taken back`() throws {
        let folder = TemporaryFolder()
        let store = try Self.sample(folder) {
            $0.retention.snapshots = .init(count: 2)
            $0.retention.grace = .seconds(3600)
        }
        let first = try store.maintenance.retain()
        #expect(first.contains { $0.item == .snapshot(1) && $0.action == .deprecate })
        #expect(try store.maintenance.retain().contains { $0.item == .snapshot(1) && $0.action == .wait })
        #expect(try store.maintenance.snapshots().count == 6)
        #expect(try store.maintenance.snapshots()[0].deprecatedAt != nil)
        try store.maintenance.undeprecate(.snapshot(1))
        try store.maintenance.undeprecate(.segment(2))
        try store.close()

        let again = try SnapshotTests.open(folder.path) { $0.retention.snapshots = .init(count: 2) }
        try again.maintenance.retain()
        #expect(try again.maintenance.snapshots().map(\.id) == [1, 5, 6])
        #expect(try again.maintenance.segments().map(\.number) == [2, 6, 7])
        #expect(try again.view(at: 20).get("key 3") == utf8("0"))
        try again.maintenance.deprecate(.snapshot(1))
        try again.maintenance.retain()
        #expect(try again.maintenance.snapshots().map(\.id) == [5, 6])
        expectError(.invalidArgument) { try again.maintenance.undeprecate(.snapshot(1)) }
    }

    /// It kept the time of its deprecation, and went without any grace when it was next beyond a limit.
    @Test func `what is within the limits again is deprecated no longer`() throws {
        let folder = TemporaryFolder()
        let store = try Self.sample(folder) {
            $0.retention.snapshots = .init(count: 2)
            $0.retention.segments = .init(count: 2)
            $0.retention.grace = .seconds(3600)
        }
        try store.maintenance.retain()
        #expect(try store.maintenance.snapshots().contains { $0.deprecatedAt != nil })
        #expect(try store.maintenance.segments().contains { $0.deprecatedAt != nil })
        try store.close()
        let again = try SnapshotTests.open(folder.path) {
            $0.retention.snapshots = .init(count: 10)
            $0.retention.segments = .init(count: 10)
        }
        try again.maintenance.retain()
        #expect(try again.maintenance.snapshots().count == 6)
        #expect(try again.maintenance.snapshots().allSatisfy { $0.deprecatedAt == nil && !$0.isKept })
        #expect(try again.maintenance.segments().allSatisfy { $0.deprecatedAt == nil && !$0.isKept })
    }

    /// What was deprecated by hand and within the limits stayed, and went without any grace once it was beyond them.
    @Test func `what is deprecated by hand goes after its grace time, within the limits too`() throws {
        let folder = TemporaryFolder()
        let store = try Self.sample(folder) {
            $0.retention.snapshots = .init()
            $0.retention.segments = .init()
            $0.retention.grace = .seconds(3600)
        }
        try store.maintenance.deprecate(.snapshot(2))
        try store.maintenance.deprecate(.segment(2))
        let decisions = try store.maintenance.retain()
        let waiting = decisions.filter { $0.action == .wait }
        #expect(waiting.map(\.item) == [.snapshot(2), .segment(2)])
        #expect(waiting.allSatisfy { $0.reason == "it was deprecated by hand" })
        try store.close()
        let again = try SnapshotTests.open(folder.path) {
            $0.retention.snapshots = .init()
            $0.retention.segments = .init()
        }
        try again.maintenance.retain()
        #expect(try again.maintenance.snapshots().map(\.id) == [1, 3, 4, 5, 6])
        #expect(try again.maintenance.segments().map(\.number) == [1, 3, 4, 5, 6, 7])
        try again.close()
        #expect(try Store.check(folder.path).verdict == .sound)
    }

    @Test func `each limit counts by itself`() throws {
        let limits: [(Retention.Limits, kept: [UInt64])] = [
            (.init(), [1, 2, 3, 4, 5]), (.init(count: 4), [3, 4, 5]), (.init(commitCount: 61), [3, 4, 5]),
            (.init(age: .seconds(3600)), [1, 2, 3, 4, 5]), (.init(count: 4, commitCount: 1000), [3, 4, 5]),
        ]
        for (limit, kept) in limits {
            let folder = TemporaryFolder()
            let store = try Self.sample(folder) {
                $0.retention.segments = limit
                $0.retention.snapshots = .init()
            }
            try store.maintenance.retain()
            #expect(try store.maintenance.segments().map(\.number).filter { $0 < 6 } == kept, "\(limit)")
        }
    }

    @Test func `space that was reclaimed returns to the file system`() throws {
        var rng = SeededGenerator(seed: 1)
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path)
        var sizes: [Int] = []
        for _ in 0..<12 {
            for _ in 0..<20 {
                try store.write { tx in
                    for _ in 0..<50 {
                        try tx.put(SnapshotTests.key(.random(in: 0..<5000, using: &rng)), rng.bytes(200))
                    }
                }
            }
            try store.maintenance.compact()
            sizes.append(Int(try run("/usr/bin/du", "-sk", folder.path).split(separator: "\t")[0])!)
        }
        #expect(sizes[11] < sizes[3] * 2, "\(sizes)")
        for i in 0..<5000 { try store.write { try $0.delete(SnapshotTests.key(i)) } }
        for _ in 0..<3 {
            try store.write { try $0.put("one", "more") }
            try store.maintenance.compact()
        }
        let last = Int(try run("/usr/bin/du", "-sk", folder.path).split(separator: "\t")[0])!
        #expect(last < sizes[11] / 4, "\(sizes) then \(last)")
    }

    @Test func `maintenance works by itself, can be paused, and does no more than is due`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path) {
            $0.maintainsItself = true
            $0.compaction.commitCount = 50
        }
        store.maintenance.pause()
        for i in 0..<60 { try store.write { try $0.put("key \(i)", "1") } }
        #expect(store.maintenance.statistics.snapshotCount == 0)
        store.maintenance.resume()
        while store.maintenance.statistics.snapshotCount == 0 {}
        for i in 0..<60 { try store.write { try $0.put("key \(i)", "2") } }
        while store.maintenance.statistics.snapshotCount < 2 {}
        #expect(store.maintenance.statistics.lastError == nil)
        try store.close()
        #expect(try Store.check(folder.path).verdict == .sound)
    }

    @Test func `one step at a time is enough`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path) { $0.compaction.commitCount = 10 }
        var stepCount = 0
        for i in 0..<100 {
            try store.write { try $0.put("key \(i)", "1") }
            if try store.maintenance.step() { stepCount += 1 }
        }
        while try store.maintenance.step() { stepCount += 1 }
        #expect(stepCount > 50 && store.maintenance.statistics.snapshotCount > 3)
        #expect(try store.maintenance.step() == false)
    }
}
