import CommitLog
import Foundation
import Rootfast
import SpecSupport
import Testing

@Suite struct FailureTests {
    static let ioError: Int32 = 5
    static let noSpace: Int32 = 28

    @Test(arguments: ["pwrite", "fdatasync"])
    func `a failed flush poisons the store: its outcome is unknown, the state goes back, reads go on`(call: String)
        throws
    {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write(id: "before") { try $0.put("a", "1") }
        _ = try store.prepare("vote") { try $0.put("v", "1") }
        let root = store.root
        disk.setFault { name, file in name == call && file.hasPrefix("log/") ? Self.ioError : nil }
        expectError(.outcomeUnknown) { try store.write(id: "lost") { try $0.put("a", "2") } }
        disk.setFault(nil)
        // The disk is well again, and still nothing is written: what the failed sync lost is not known.
        expectError(.poisoned) { try store.write { try $0.put("b", "1") } }
        expectError(.poisoned) { try store.commit("vote") }
        #expect(store.root == root)
        #expect(try store.get("a") == utf8("1"))
        #expect(try store.outcome(of: "before") == .committed(sequence: 1))
        #expect(try store.outcome(of: "lost") == .unknown)
        #expect(try store.inDoubt().map(\.id) == ["vote"])
        #expect(try store.status().poison != nil)
        try store.close()

        let again = try Store.simulated(disk)
        let outcome = try again.outcome(of: "lost")
        #expect(outcome == .unknown || outcome == .committed(sequence: 2))
        #expect(try again.get("a") == utf8(outcome == .unknown ? "1" : "2"))
        try again.commit("vote")
    }

    @Test func `a flush with votes and decisions that fails is taken back whole`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        _ = try store.prepare("a") { try $0.put("a", "1") }
        disk.setFault { name, _ in name == "fdatasync" ? Self.ioError : nil }
        expectError(.outcomeUnknown) { try store.commit("a") }
        #expect(try store.inDoubt().map(\.id) == ["a"])
        #expect(try store.outcome(of: "a") == .inDoubt)
        #expect(try store.get("a") == nil)
    }

    @Test func `no sync is tried again after it failed`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        let syncs = Counter()
        disk.setFault { name, _ in
            guard name == "fdatasync" else { return nil }
            syncs.add()
            return Self.ioError
        }
        expectError(.outcomeUnknown) { try store.write { try $0.put("a", "2") } }
        for _ in 0..<5 { expectError(.poisoned) { try store.write { try $0.put("a", "2") } } }
        try store.close()
        #expect(syncs.value == 1)
    }

    @Test func `lack of room refuses the write before anything is applied, and writes go on when there is room`() throws
    {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, segmentBytesMax: 300_000)
        try store.write { try $0.put("a", "1") }
        let root = store.root
        let big = [UInt8](repeating: 0x61, count: 100_000)
        disk.setFault { name, _ in name == "posix_fallocate" ? Self.noSpace : nil }
        for _ in 0..<3 { expectError(.noSpace) { try store.write(id: "big") { try $0.put("b", big) } } }
        #expect(store.root == root)
        #expect(try store.outcome(of: "big") == .unknown)
        try store.write { try $0.put("small", "fits what is prepared") }
        disk.setFault(nil)
        try store.write(id: "big") { try $0.put("b", big) }
        #expect(try store.get("b") == big)
        // The same at a rotation, at each of its calls.
        for call in ["openat", "posix_fallocate", "pwrite"] {
            let before = try store.status().segment
            while try store.status().segment == before {
                disk.setFault { name, file in
                    name == call && (file == "log/next" || file == "store.json.new") ? Self.noSpace : nil
                }
                do { try store.write { try $0.put("b", big) } } catch let error as StoreError {
                    #expect(error.code == .noSpace)
                    disk.setFault(nil)
                    try store.write { try $0.put("b", big) }
                }
            }
        }
        #expect(try Store.checking(disk.afterKill()).verdict == .sound)
        #expect(try Store.simulated(disk.afterKill()).root == store.root)
    }

    @Test(arguments: [("openat", "store.json.new"), ("fsync", "log")])
    func `a segment that was begun and cannot be taken back ends all writing`(call: String, file: String) throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
        try store.write { try $0.put("a", "1") }
        let root = store.root
        disk.setFault { name, at in
            (name, at) == (call, file) || (name, at) == ("unlinkat", LogNames.segment(2)) ? Self.noSpace : nil
        }
        // What is left could be taken for the log's continuation, so this is no lack of room, which passes.
        let big = String(repeating: "x", count: 4000)
        expectError(.poisoned) { try store.write { try $0.put("b", big) } }
        disk.setFault(nil)
        expectError(.poisoned) { try store.write { try $0.put("c", "1") } }
        #expect(store.root == root)
        let left = disk.afterKill()
        let again = try Store.simulated(left, segmentBytesMax: 4096)
        #expect(again.root == root)
        try again.write { try $0.put("b", big) }
        #expect(try Store.checking(left.afterKill()).verdict == .sound)
    }

    @Test func `whatever call fails while a store is made, opened or rotated, the next opening is sound`() throws {
        var reached = 0
        for failing in 0..<400 {
            let disk = SimulatedDisk()
            let calls = Counter()
            disk.setFault { _, _ in calls.add() == failing ? Self.ioError : nil }
            var acknowledged = 0
            do {
                let store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
                for i in 0..<12 {
                    try store.write { try $0.put("key \(i)", String(repeating: "x", count: 500)) }
                    acknowledged = i + 1
                }
                try store.close()
                let again = try Store.simulated(disk, segmentBytesMax: 4096)
                try again.write { try $0.put("last", "1") }
                acknowledged += 1
            } catch is StoreError { reached += 1 }
            disk.setFault(nil)
            let store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
            #expect(store.view.count >= acknowledged, "call \(failing)")
            #expect(try store.root == definedRoot(store.view))
            if calls.value <= failing { break }
        }
        #expect(reached > 100)
    }
}

/// Counts calls from any thread.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    var value: Int { lock.withLock { count } }

    /// The count before this call.
    @discardableResult
    func add() -> Int {
        lock.withLock {
            defer { count += 1 }
            return count
        }
    }
}
