import Foundation
import Rootfast
import SpecSupport
import Testing

@Suite struct IsolationTests {
    /// Runs `other` once, between what `body` reads and its commit.
    static func interleaved(
        _ store: Store, _ body: (Transaction) throws -> Void, other: () throws -> Void
    ) throws -> Int {
        var runs = 0
        try store.write { (tx: Transaction) throws -> Void in
            runs += 1
            try body(tx)
            if runs == 1 { try other() }
        }
        return runs
    }

    static func store() throws -> Store {
        let store = try Store.simulated(SimulatedDisk(), creating: true)
        try store.write { tx in for key in ["a", "b", "c"] { try tx.put(key, "0") } }
        return store
    }

    @Test func `a lost update is run again`() throws {
        let store = try Self.store()
        let runs = try Self.interleaved(store) { tx in
            let old = Int(String(decoding: try tx.get("a")!, as: UTF8.self))!
            try tx.put("a", "\(old + 1)")
        } other: {
            try store.write { try $0.put("a", "10") }
        }
        #expect(runs == 2)
        #expect(try store.get("a") == utf8("11"))
    }

    @Test func `write skew is run again`() throws {
        let store = try Self.store()
        let runs = try Self.interleaved(store) { tx in
            if try tx.get("b") == utf8("0") { try tx.put("a", "1") }
        } other: {
            try store.write { tx in if try tx.get("a") == utf8("0") { try tx.put("b", "1") } }
        }
        #expect(runs == 2)
        #expect(try store.get("a") == utf8("0"))
        #expect(try store.get("b") == utf8("1"))
    }

    @Test func `a phantom is run again`() throws {
        let store = try Self.store()
        let runs = try Self.interleaved(store) { tx in
            try tx.put("count", "\(tx.entries(ScanRange(from: "a", to: "c")).count)")
        } other: {
            try store.write { try $0.put("ab", "1") }
        }
        #expect(runs == 2)
        #expect(try store.get("count") == utf8("3"))
    }

    @Test func `a limited scan is no reason to run again for what lies behind its last entry`() throws {
        let store = try Self.store()
        let body: (Transaction) throws -> Void = { tx in
            try tx.put("first", tx.entries(ScanRange().limited(to: 1))[0].key)
        }
        #expect(try Self.interleaved(store, body) { try store.write { try $0.put("b", "1") } } == 1)
        #expect(try Self.interleaved(store, body) { try store.write { try $0.put("Z", "1") } } == 2)
        #expect(try store.get("first") == utf8("Z"))
    }

    @Test func `writers of other keys do not disturb each other`() throws {
        let store = try Self.store()
        let runs = try Self.interleaved(store) { tx in
            _ = try tx.get("a")
            try tx.put("a", "1")
        } other: {
            try store.write { tx in
                _ = try tx.get("b")
                try tx.put("b", "1")
            }
        }
        #expect(runs == 1)
    }

    @Test func `retries are bounded and end in a typed conflict`() throws {
        let store = try Self.store()
        var runs = 0
        expectError(.conflict) {
            try store.write { (tx: Transaction) throws -> Void in
                runs += 1
                _ = try tx.get("a")
                try tx.put("b", "1")
                try store.write { try $0.put("a", "\(runs)") }
            }
        }
        #expect(runs == 3)
    }

    @Test func `a transaction reads from one view`() throws {
        let store = try Self.store()
        var seen: [[UInt8]?] = []
        _ = try Self.interleaved(store) { tx in
            seen.append(try tx.get("a"))
            if seen.count == 1 { try store.write { tx in for key in ["a", "b"] { try tx.put(key, "9") } } }
            seen.append(try tx.get("b"))
            try tx.put("c", "1")
        } other: {
        }
        #expect(seen == ["0", "0", "9", "9"].map(utf8))
    }

    @Test func `a read sees nothing that is not durable yet, and a receipt comes after the sync`() async throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try await store.write { try $0.put("a", "1") }
        let root = store.root
        disk.holdSyncs()
        let writer = Task { try await store.write { try $0.put("a", "2") } }
        while disk.heldSyncCount == 0 { await Task.yield() }
        #expect(try store.get("a") == utf8("1"))
        #expect(store.root == root)
        #expect(store.view.sequence == 1)
        disk.releaseSyncs()
        let receipt = try await writer.value
        #expect(receipt.sequence == 2)
        #expect(try store.get("a") == utf8("2"))
        #expect(store.root == receipt.root)
    }

    @Test func `a writer reads the newest applied state and waits until what it saw is durable`() async throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        disk.holdSyncs()
        let writer = Task { try await store.write { try $0.put("a", "2") } }
        while disk.heldSyncCount == 0 { await Task.yield() }
        let reader = Task { try await store.write { try $0.get("a") } }
        for _ in 0..<100 { await Task.yield() }
        disk.releaseSyncs()
        _ = try await writer.value
        let (value, receipt) = try await reader.value
        #expect(value == utf8("2"))
        #expect(receipt.sequence == 1)
    }

    /// An answer went out before the queue had noted that its newest state was behind. Where commits are acknowledged
    /// when they are applied, whoever was admitted by another thread could then read the state before its own commit.
    @Test func `who is told of a commit reads it, whoever admitted it`() async throws {
        let store = try Store.simulated(SimulatedDisk(), creating: true, durability: .none, usesThreads: true)
        let stale = try await withThrowingTaskGroup(of: Int.self) { group in
            for id in 0..<4 {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread { continuation.resume(with: Result { try Self.staleReads(store, "\(id)") }) }.start()
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(stale == 0)
    }

    /// Writes a key often, reads it each time, and counts what was there before.
    private static func staleReads(_ store: Store, _ key: String) throws -> Int {
        try (0..<20_000).filter { i in
            try store.write { try $0.put(key, "\(i)") }
            return try store.get(key) != utf8("\(i)")
        }.count
    }

    @Test func `many threads and tasks that count in one key lose no count`() async throws {
        let folder = TemporaryFolder()
        var options = Options()
        options.attemptsMax = 10_000
        let store = try Store.open(folder.path, mode: .createIfMissing, options: options)
        try await store.write { try $0.put("sum", "0") }
        @Sendable func increment(_ tx: Transaction, _ own: String) throws {
            let old = Int(String(decoding: try tx.get("sum")!, as: UTF8.self))!
            try tx.put("sum", "\(old + 1)")
            try tx.put(own, "\(old + 1)")
        }
        let threads = (0..<4).map { id in
            let thread = Thread { for i in 0..<50 { _ = try! store.write { try increment($0, "thread \(id) \(i)") } } }
            thread.start()
            return thread
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 0..<8 {
                group.addTask {
                    for i in 0..<50 {
                        _ = try await store.write { (tx: Transaction) throws -> Void in
                            try increment(tx, "task \(id) \(i)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        while threads.contains(where: { !$0.isFinished }) { await Task.yield() }
        #expect(try store.get("sum") == utf8("600"))
        #expect(store.view.count == 601)
        #expect(try Set(store.view.entries().filter { $0.key != utf8("sum") }.map(\.value)).count == 600)
        #expect(try store.root == definedRoot(store.view))
        try store.close()
        #expect(try Store.check(folder.path).verdict == .sound)
    }
}
