import CommitLog
import Hashing
import Rootfast
import SQLite
import SeededRandom
import SpecSupport
import Testing

/// Snapshots, and what they make possible, on a real disk.
@Suite struct SnapshotTests {
    /// A store that does maintenance when it is told, and keeps hardly anything in memory.
    static func open(_ path: String, _ change: (inout Options) -> Void = { _ in }) throws -> Store {
        var options = Options()
        options.maintainsItself = false
        options.memoryBytesMax = 1 << 20
        options.retention.grace = .zero
        options.retention.segments = .init(count: 0)
        change(&options)
        return try Store.open(path, mode: .createIfMissing, options: options)
    }

    static func key(_ number: Int) -> [UInt8] { utf8("key \(number)") }

    /// What a store should be.
    struct Model {
        var state: [[UInt8]: [UInt8]] = [:]
        var outcomes: [String: Outcome] = [:]
        var inDoubt: [String: [(key: [UInt8], value: [UInt8])]] = [:]
        var history: [UInt64: (root: Digest, state: [[UInt8]: [UInt8]])] = [:]
        var nextID = 0

        mutating func commit(_ store: Store, _ rng: inout SeededGenerator) throws {
            let id: String? = rng.oneIn(3) ? "tx \(nextID)" : nil
            nextID += 1
            var next = state
            let receipt = try store.write(id: id) { tx in
                for _ in 0..<Int.random(in: 1...8, using: &rng) {
                    let key = SnapshotTests.key(.random(in: 0..<3000, using: &rng))
                    guard !isLocked(key) else { continue }
                    if rng.oneIn(4) {
                        next[key] = nil
                        try tx.delete(key)
                    } else {
                        let value = rng.bytes(rng.oneIn(20) ? 3000 : 100)
                        next[key] = value
                        try tx.put(key, value)
                    }
                }
                try tx.put("last", "\(nextID)")
                next[utf8("last")] = utf8("\(nextID)")
            }
            state = next
            if let id { outcomes[id] = .committed(sequence: receipt.sequence) }
            history[receipt.rootSequence] = (receipt.root, state)
        }

        mutating func vote(_ store: Store, _ rng: inout SeededGenerator) throws {
            let id = "vote \(nextID)"
            nextID += 1
            let key = utf8("voted \(nextID)")
            let value = rng.bytes(40)
            _ = try store.prepare(id) { try $0.put(key, value) }
            inDoubt[id] = [(key, value)]
        }

        mutating func decide(_ store: Store, _ rng: inout SeededGenerator) throws {
            guard let (id, changes) = inDoubt.min(by: { $0.key < $1.key }) else { return }
            inDoubt[id] = nil
            if rng.oneIn(2) {
                try store.abort(id)
                outcomes[id] = .aborted
            } else {
                let receipt = try store.commit(id)
                for (key, value) in changes { state[key] = value }
                outcomes[id] = .committed(sequence: receipt.sequence)
                history[receipt.rootSequence] = (receipt.root, state)
            }
        }

        private func isLocked(_ key: [UInt8]) -> Bool { inDoubt.values.contains { $0.contains { $0.key == key } } }

        func expect(_ store: Store) throws {
            let entries = state.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
                Entry(key: $0.key, value: $0.value)
            }
            #expect(try store.view.entries() == entries)
            #expect(try store.root == definedRoot(store.view))
            #expect(try store.inDoubt().map(\.id).sorted() == inDoubt.keys.sorted())
            for (id, outcome) in outcomes { #expect(try store.outcome(of: id) == outcome) }
        }
    }

    @Test(arguments: [1, 2, 3, 4])
    func `a store is the same whatever snapshots, retention, closing and killing come between`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let folder = TemporaryFolder()
        var model = Model()
        var store = try Self.open(folder.path)
        var fromSnapshot = 0
        for _ in 0..<40 {
            for _ in 0..<Int.random(in: 1...40, using: &rng) { try model.commit(store, &rng) }
            if rng.oneIn(3) { try model.vote(store, &rng) }
            if rng.oneIn(4) { try model.decide(store, &rng) }
            switch Int.random(in: 0..<6, using: &rng) {
            case 0, 1: try store.maintenance.takeSnapshot()
            case 2: try store.maintenance.compact()
            case 3: try store.maintenance.seal()
            case 4:
                // A process that dies: nothing is closed.
                store = try Self.reopened(folder, closing: nil, store)
            default: store = try Self.reopened(folder, closing: store, store)
            }
            if store.recovery.snapshotID != nil { fromSnapshot += 1 }
            try model.expect(store)
        }
        #expect(fromSnapshot > 0)
        try store.close()
        let report = try Store.check(folder.path)
        #expect(report.verdict != .damaged, "\(String(describing: report.damage))")
        #expect(report.root == store.root)
        #expect(report.leftOver.isEmpty)
    }

    private static func reopened(_ folder: TemporaryFolder, closing: Store?, _ store: consuming Store) throws -> Store {
        if let closing {
            try closing.close()
            return try open(folder.path)
        }
        // The lock goes with the last reference, as it does with a process.
        let copy = TemporaryFolder()
        try copyFolder(folder.path, to: copy.path)
        try store.close()
        try copyFolder(copy.path, to: folder.path)
        return try open(folder.path)
    }

    @Test func `the root does not depend on paging`() throws {
        var rng = SeededGenerator(seed: 8)
        let (small, large) = (TemporaryFolder(), TemporaryFolder())
        let (a, b) = (try Self.open(small.path), try Self.open(large.path) { $0.memoryBytesMax = 1 << 30 })
        for round in 0..<60 {
            let changes = (0..<200).map { _ in (Self.key(.random(in: 0..<20_000, using: &rng)), rng.bytes(300)) }
            for store in [a, b] { try store.write { tx in for (key, value) in changes { try tx.put(key, value) } } }
            if round % 5 == 4 { try a.maintenance.takeSnapshot() }
        }
        #expect(a.root == b.root)
        #expect(try a.status().memoryBytes < 3 << 20)
        #expect(try b.status().memoryBytes > 4 << 20)
        #expect(try a.view.entries() == b.view.entries())
    }

    @Test func `every retained state can be seen again, with its root`() throws {
        var rng = SeededGenerator(seed: 9)
        let folder = TemporaryFolder()
        let store = try Self.open(folder.path) { $0.retention.segments = .init() }
        var model = Model()
        for round in 0..<60 {
            try model.commit(store, &rng)
            if round % 17 == 5 { try store.maintenance.compact() }
        }
        for (sequence, (root, state)) in model.history {
            let view = try store.view(at: sequence)
            #expect(view.sequence == sequence && view.root == root)
            #expect(view.count == state.count)
            for (key, value) in state { #expect(try view.get(key) == value) }
        }
        expectError(.invalidArgument) { _ = try store.view(at: 1000) }
        // What changed between two of them.
        let (from, to) = (try store.view(at: 10), try store.view(at: 50))
        var changed: [[UInt8]] = []
        try to.forEachChange(since: from) { key, _, _ in
            changed.append(Array(key))
            return true
        }
        let (old, new) = (model.history[10]!.state, model.history[50]!.state)
        let expected = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
        #expect(changed == expected.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func `a state that is gone is told to be`() throws {
        var rng = SeededGenerator(seed: 10)
        let folder = TemporaryFolder()
        let store = try Self.open(folder.path)
        var model = Model()
        for _ in 0..<3 {
            for _ in 0..<10 { try model.commit(store, &rng) }
            try store.maintenance.compact()
        }
        expectError(.notRetained) { _ = try store.view(at: 3) }
        #expect(try store.view(at: 20).root == model.history[20]!.root)
        // Between two snapshots the log is there, as recovery may need it.
        #expect(try store.view(at: 25).root == model.history[25]!.root)
    }

    @Test func `a view keeps the snapshot that it shows`() throws {
        var rng = SeededGenerator(seed: 11)
        let folder = TemporaryFolder()
        let store = try Self.open(folder.path) { $0.retention.snapshots = .init(count: 1) }
        var model = Model()
        for _ in 0..<300 { try model.commit(store, &rng) }
        try store.maintenance.compact()
        let past: View? = try {
            for _ in 0..<300 { try model.commit(store, &rng) }
            return try store.view(at: 300)
        }()
        for _ in 0..<4 {
            for _ in 0..<200 { try model.commit(store, &rng) }
            try store.maintenance.compact()
        }
        #expect(try store.maintenance.snapshots().count == 3)
        for (key, value) in model.history[300]!.state { #expect(try past?.get(key) == value) }
        _ = consume past
        try store.maintenance.retain()
        #expect(try store.maintenance.snapshots().count == 2)
    }

    @Test func `a view of before is whole after everything it shows was dropped`() throws {
        var rng = SeededGenerator(seed: 12)
        let folder = TemporaryFolder()
        let store = try Self.open(folder.path)
        var model = Model()
        for _ in 0..<400 { try model.commit(store, &rng) }
        try store.maintenance.compact()
        let before = (store.view, model.state)
        for _ in 0..<5 {
            for _ in 0..<300 { try model.commit(store, &rng) }
            try store.maintenance.compact()
        }
        for (key, value) in before.1 { #expect(try before.0.get(key) == value) }
        #expect(try definedRoot(before.0) == before.0.root)
        try model.expect(store)
    }

    @Test func `a value that is read in place stays there until it was read, whatever else is read`() throws {
        let folder = TemporaryFolder()
        let store = try Self.open(folder.path)
        func value(_ i: Int) -> [UInt8] { Array(repeating: UInt8(i % 251), count: 1000) }
        for start in stride(from: 0, to: 4000, by: 100) {
            try store.write { tx in for i in start..<(start + 100) { try tx.put(Self.key(i), value(i)) } }
        }
        try store.maintenance.takeSnapshot()
        let view = store.view
        for i in [7, 2000, 3999] {
            let isSame = try view.withValue(of: Self.key(i)) { bytes in
                for j in 0..<4000 { try #require(try view.get(Self.key(j)) == value(j)) }
                return bytes?.elementsEqual(value(i))
            }
            #expect(isSame == true)
        }
        #expect(try view.withValue(of: "none") { $0 == nil })
        // And no longer: the next commits make room.
        for i in 0..<100 where try store.status().memoryBytes > 2 << 20 {
            try store.write { try $0.put("last", "\(i)") }
        }
        #expect(try store.status().memoryBytes < 2 << 20)
    }
}

/// Copies a folder with its files and one level of folders, replacing what is there.
func copyFolder(_ source: String, to target: String) throws {
    try run("/bin/sh", "-c", "rm -rf -- \"$1\" && cp -a -- \"$0\" \"$1\"", source, target)
}
