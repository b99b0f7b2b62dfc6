import Foundation
import Rootfast
import SeededRandom
import SpecSupport
import Testing

@Suite struct DurabilityTests {
    static let hour = Durability.async(interval: .seconds(3600))

    @Test(arguments: [DurabilityTests.hour, .none])
    func `a commit is acknowledged when applied, and the receipt says where durability stands`(mode: Durability) throws
    {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, durability: mode)
        let syncs = disk.syncCount()
        let first = try store.write { try $0.put("a", "1") }
        let second = try store.write { tx in
            #expect(try tx.get("a") == utf8("1"), "its own commits are seen")
            try tx.put("b", "2")
        }
        #expect(disk.syncCount() == syncs)
        #expect([first.sequence, second.sequence] == [1, 2])
        #expect([first.durableSequence, second.durableSequence, second.rootSequence] == [0, 0, 0])
        #expect(try store.get("b") == utf8("2"))
        #expect(store.view.sequence == 2)
        #expect(try store.root == definedRoot(store.view))
        #expect(try store.proof(for: "b").verify(key: utf8("b"), root: store.root) != .absent)

        try store.flush()
        #expect(disk.syncCount() == syncs + 1)
        let third = try store.write { try $0.put("c", "3") }
        #expect(third.sequence == 3 && third.durableSequence == 2 && third.rootSequence == 2)
        #expect(try Store.simulated(disk.afterKill()).view.sequence == 2)
        try store.close()
        #expect(try Store.simulated(disk).view.sequence == 3)
    }

    /// Closing said nothing when its own flush failed: those who were acknowledged before heard of no error at all.
    @Test func `closing tells that what was acknowledged did not become durable`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, durability: .async(interval: .seconds(1)))
        try store.write { try $0.put("a", "1") }
        disk.setFault { call, _ in call == "fdatasync" ? 5 : nil }
        expectError(.poisoned) { try store.close() }
        disk.setFault(nil)
        #expect(try Store.simulated(disk.afterKill()).view.sequence <= 1)
    }

    @Test func `a transaction may ask for more, and takes all before it along`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, durability: .none)
        for i in 0..<5 { try store.write { try $0.put("a \(i)", "1") } }
        let receipt = try store.write(durability: .sync) { try $0.put("b", "1") }
        #expect(receipt.sequence == 6 && receipt.durableSequence == 6)
        #expect(receipt.root == store.root)
        var random = SeededGenerator(seed: 1)
        #expect(try Store.simulated(disk.afterPowerLoss(&random)).view.count == 6)
        // Votes and decisions are durable whatever the option says.
        try store.write { try $0.put("c", "1") }
        _ = try store.prepare("vote") { try $0.put("d", "1") }
        #expect(try Store.simulated(disk.afterPowerLoss(&random)).inDoubt().count == 1)
    }

    /// A commit that had to wait for the next segment was acknowledged before it was noted that the last view is behind: who
    /// read at once did not see it.
    @Test func `what was acknowledged is seen at once, also where a segment ends before it`() throws {
        let store = try Store.simulated(
            SimulatedDisk(), creating: true, segmentBytesMax: 4096, durability: .none, usesThreads: true)
        for i in UInt64(1)...500 {
            try store.write { try $0.put("a", [UInt8](repeating: 0x61, count: 1500)) }
            #expect(store.view.sequence == i)
        }
    }

    @Test func `a transaction cannot ask for less`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        let syncs = disk.syncCount()
        let receipt = try store.write(durability: Self.hour) { try $0.put("a", "1") }
        #expect(receipt.durableSequence == 1)
        #expect(disk.syncCount() == syncs + 1)
    }

    @Test func `a power loss loses a suffix and never one in the middle`() throws {
        var lost = 0
        for seed in UInt64(0)..<100 {
            var random = SeededGenerator(seed: seed)
            let disk = SimulatedDisk()
            let store = try Store.simulated(disk, creating: true, segmentBytesMax: 16 << 10, durability: Self.hour)
            var roots = [store.root]
            var durable: UInt64 = 0
            for i in 0..<Int.random(in: 1...40, using: &random) {
                let receipt = try store.write { tx in for j in 0..<3 { try tx.put("key \(i % 7) \(j)", "\(i)") } }
                #expect(receipt.sequence == UInt64(i) + 1 && receipt.durableSequence == durable)
                roots.append(store.root)
                if Int.random(in: 0..<6, using: &random) == 0 {
                    try store.flush()
                    durable = receipt.sequence
                }
            }
            for _ in 0..<5 {
                let again = try Store.simulated(disk.afterPowerLoss(&random))
                #expect(again.view.sequence == durable, "seed \(seed)")
                #expect(again.root == roots[Int(durable)], "seed \(seed)")
            }
            lost += roots.count - 1 - Int(durable)
        }
        #expect(lost > 100)
    }

    @Test func `the interval ends in a flush that nobody asked for`() async throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(
            disk, creating: true, durability: .async(interval: .milliseconds(1)), usesThreads: true)
        for i in 1...20 {
            let receipt = try await store.write { try $0.put("a", "\(i)") }
            // Only the ticker can bring this about: no other commit comes before it has.
            while try Store.simulated(disk.afterKill()).view.sequence < receipt.sequence { await Task.yield() }
        }
    }

    @Test func `a bulk load is written as its log fills memory, and durable after a flush`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, segmentBytesMax: 8 << 20, durability: .none)
        let syncs = disk.syncCount()
        let value = String(repeating: "v", count: 1000)
        // More than a flush may hold, so that one goes to the disk before the last however late the leader comes.
        for i in 0..<120 { try store.write { tx in for j in 0..<100 { try tx.put("\(i) \(j)", value) } } }
        try store.flush()
        #expect((2...36).contains(disk.syncCount() - syncs))
        #expect(try Store.simulated(disk.afterKill()).root == store.root)
    }

    @Test func `a failed flush takes back what was acknowledged and not durable, and says so`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, durability: Self.hour)
        try store.write(durability: .sync) { try $0.put("a", "1") }
        let root = store.root
        try store.write(id: "acknowledged") { try $0.put("a", "2") }
        disk.setFault { name, _ in name == "fdatasync" ? 5 : nil }
        expectError(.outcomeUnknown) { try store.flush() }
        disk.setFault(nil)
        #expect(try store.root == root && store.get("a") == utf8("1"))
        #expect(try store.outcome(of: "acknowledged") == .unknown)
        expectError(.poisoned) { try store.write { try $0.put("a", "3") } }
        expectError(.poisoned) { try store.flush() }
        expectError(.poisoned) { try store.close() }
    }

    @Test func `when a flush fails, the one that is open behind it goes back too`() async throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try await store.write(id: "before") { try $0.put("a", "1") }
        _ = try await store.prepare("old vote") { try $0.put("v", "1") }
        let root = store.root
        disk.holdSyncs()
        let first = Task { try await store.write(id: "first") { try $0.put("a", "2") } }
        while disk.heldSyncCount == 0 { await Task.yield() }
        // All of these are admitted while the first is being synced.
        let second = Task { try await store.write(id: "second") { try $0.put("b", "2") } }
        let vote = Task { _ = try await store.prepare("vote") { try $0.put("w", "1") } }
        let decision = Task { try await store.commit("old vote") }
        for _ in 0..<200 { await Task.yield() }
        disk.setFault { name, _ in name == "fdatasync" ? 5 : nil }
        disk.releaseSyncs()
        #expect(await code { _ = try await first.value } == .outcomeUnknown)
        #expect(await code { _ = try await second.value } == .poisoned)
        #expect(await code { try await vote.value } == .poisoned)
        #expect(await code { _ = try await decision.value } == .poisoned)
        disk.setFault(nil)
        #expect(store.root == root && store.view.count == 1)
        #expect(try store.inDoubt().map(\.id) == ["old vote"])
        #expect(try store.outcome(of: "second") == .unknown)
        #expect(try store.outcome(of: "before") == .committed(sequence: 1))
        try store.close()

        let again = try Store.simulated(disk)
        #expect(again.view.sequence <= 2)
        #expect(try again.outcome(of: "second") == .unknown)
        #expect(try again.inDoubt().map(\.id) == ["old vote"])
    }

    @Test func `what became of another transaction is told once that is durable, or not at all`() async throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        _ = try await store.prepare("vote") { try $0.put("v", "1") }
        disk.holdSyncs()
        let decision = Task { try await store.commit("vote") }
        while disk.heldSyncCount == 0 { await Task.yield() }
        // Both are refused because of a decision that is being synced, and then fails.
        let other = Task { try await store.abort("vote") }
        let same = Task { _ = try await store.prepare("vote") { try $0.put("w", "1") } }
        for _ in 0..<200 { await Task.yield() }
        disk.setFault { name, _ in name == "fdatasync" ? 5 : nil }
        disk.releaseSyncs()
        #expect(await code { _ = try await decision.value } == .outcomeUnknown)
        #expect(await code { try await other.value } == .poisoned)
        #expect(await code { try await same.value } == .poisoned)
    }

    @Test func `room is made ahead: a segment is there before it is needed, and is used`() throws {
        let disk = SimulatedDisk()
        let segmentBytesMax = 256 << 10
        let store = try Store.simulated(
            disk, creating: true, segmentBytesMax: segmentBytesMax, durability: .sync, usesThreads: true)
        let value = String(repeating: "v", count: 1000)
        var i = 0
        func write() throws {
            try store.write { try $0.put("\(i)", value) }
            i += 1
        }
        // How far the thread has come when a segment is full is up to the machine; sooner or later it is ahead.
        var newest = 1
        var hasUsedSpare = false
        while !hasUsedSpare, newest < 200 {
            while disk.files["log/next"] == nil, try store.status().segment == newest { try write() }
            while try store.status().segment == newest { try write() }
            newest += 1
            let name = "log/" + String(repeating: "0", count: 10 - "\(newest)".count) + "\(newest).jsonl"
            hasUsedSpare = try #require(disk.files[name]).count == segmentBytesMax
        }
        #expect(hasUsedSpare)
        try store.close()
        #expect(disk.files["log/next"] == nil)
        #expect(try Store.checking(disk).verdict == .sound)
        #expect(try Store.simulated(disk).view.count == i)
    }
}

/// The code of the `StoreError` that a body throws.
private func code(_ body: () async throws -> Void) async -> StoreError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StoreError)?.code
    }
}
