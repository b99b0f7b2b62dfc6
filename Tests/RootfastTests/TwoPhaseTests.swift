import Rootfast
import SpecSupport
import Testing

@Suite struct TwoPhaseTests {
    @Test func `a vote survives a kill with its locks, and is decided afterwards`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("alice", "100") }
        let vote = try store.prepare("transfer") { tx in
            _ = try tx.get("alice")
            try tx.put("bob", "10")
        }
        #expect(vote.id == "transfer")
        #expect(try store.get("bob") == nil)

        let again = try Store.simulated(disk.afterKill())
        #expect(try again.inDoubt().map(\.id) == ["transfer"])
        #expect(try again.outcome(of: "transfer") == .inDoubt)
        #expect(try again.get("bob") == nil)
        expectError(.lockedByInDoubt(id: "transfer")) { try again.write { try $0.put("bob", "1") } }
        expectError(.lockedByInDoubt(id: "transfer")) { try again.write { try $0.put("alice", "1") } }
        try again.write { try $0.put("carol", "1") }
        let receipt = try again.commit("transfer")
        #expect(receipt.sequence == 3)
        #expect(try again.get("bob") == utf8("10"))
        try again.write { try $0.put("bob", "11") }
        try again.write { try $0.put("alice", "90") }
    }

    @Test func `a vote that only a snapshot holds keeps its locks`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        _ = try store.prepare("v") { tx in
            _ = try tx.get("read")
            try tx.put("written", "1")
        }
        try store.maintenance.takeSnapshot()
        let again = try Store.simulated(disk.afterKill())
        #expect(again.recovery.snapshotID == 1 && again.recovery.flushCount == 0)
        for key in ["read", "written"] {
            expectError(.lockedByInDoubt(id: "v")) { try again.write { try $0.put(key, "2") } }
        }
        try again.commit("v")
        for key in ["read", "written"] { try again.write { try $0.put(key, "2") } }
    }

    @Test func `deciding again is harmless, deciding otherwise is an error, whatever comes between`() throws {
        let disk = SimulatedDisk()
        var store = try Store.simulated(disk, creating: true)
        _ = try store.prepare("yes") { try $0.put("a", "1") }
        _ = try store.prepare("no") { try $0.put("b", "1") }
        let first = try store.commit("yes")
        try store.abort("no", reason: "insufficient funds")
        for image in [disk, disk.afterKill()] {
            if image !== disk { store = try Store.simulated(image) }
            #expect(try store.commit("yes").sequence == first.sequence)
            try store.abort("no")
            expectError(.alreadyDecided(.committed(sequence: 1))) { try store.abort("yes") }
            expectError(.alreadyDecided(.aborted)) { _ = try store.commit("no") }
            expectError(.unknownTransaction) { _ = try store.commit("never") }
            expectError(.duplicateID(.aborted)) { _ = try store.prepare("no") { try $0.put("b", "1") } }
            #expect(try store.inDoubt().isEmpty)
            #expect(try store.outcome(of: "no") == .aborted)
            #expect(store.view.sequence == 1)
        }
    }

    @Test func `a prepared transaction decides itself once`() throws {
        let store = try Store.simulated(SimulatedDisk(), creating: true)
        let vote = try store.prepare("a") { try $0.put("a", "1") }
        #expect(try vote.commit().sequence == 1)
        let other = try store.prepare("b") { try $0.put("b", "1") }
        try other.abort(reason: "no")
        #expect(try store.outcome(of: "b") == .aborted)
        // A vote that was dropped undecided stays in doubt.
        _ = try store.prepare("c") { try $0.put("c", "1") }
        #expect(try store.inDoubt().map(\.id) == ["c"])
    }

    @Test func `an operator's decision is recorded as such`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        _ = try store.prepare("a") { try $0.put("a", "1") }
        _ = try store.prepare("b") { try $0.put("b", "1") }
        try store.resolve("a", .commit)
        try store.resolve("b", .abort(reason: "operator"))
        let log = String(decoding: disk.files["log/0000000001.jsonl"]!, as: UTF8.self)
        #expect(log.split(separator: "\n").filter { $0.contains("\"resolved\":true") }.count == 2)
        #expect(try Store.checking(disk.afterKill()).verdict == .sound)
    }

    @Test func `what a vote read is locked, ranges too, and nothing else`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { tx in for key in ["a", "b", "c", "d", "e"] { try tx.put(key, "0") } }
        _ = try store.prepare("v") { tx in
            _ = try tx.entries(ScanRange(from: "b", to: "d"))
            _ = try tx.get("zz")
            try tx.put("out", "1")
        }
        for image in [disk, disk.afterKill()] {
            let store = image === disk ? store : try Store.simulated(image)
            for key in ["b", "c", "bb", "zz", "out"] {
                expectError(.lockedByInDoubt(id: "v")) { try store.write { try $0.put(key, "1") } }
            }
            for key in ["a", "d", "e", "z"] { try store.write { try $0.put(key, "1") } }
            // Reading what a vote writes is refused to another vote, and allowed to anybody else.
            expectError(.lockedByInDoubt(id: "v")) {
                _ = try store.prepare("w") { tx in
                    _ = try tx.get("out")
                    try tx.put("w", "1")
                }
            }
            try store.write { tx in
                _ = try tx.get("out")
                try tx.put("w", "1")
            }
            try store.abort("v")
            try store.write { try $0.put("out", "2") }
        }
    }

    @Test func `bounds longer than a key can be lock what lies between them`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        let longest = [UInt8](repeating: 0x62, count: 1024)
        try store.write { try $0.put(longest, "1") }
        _ = try store.prepare("v") { tx in
            // A limited scan ends right behind a key that is as long as keys may be.
            #expect(try tx.entries(ScanRange().limited(to: 1)).count == 1)
            _ = try tx.entries(ScanRange(from: longest + [9], to: longest + [9, 9]))
            _ = try tx.entries(ScanRange(from: [UInt8](repeating: 0xff, count: 2000), to: [UInt8]?.none))
        }
        let again = try Store.simulated(disk.afterKill())
        for key in [longest, Array(longest.dropLast()), [0]] {
            expectError(.lockedByInDoubt(id: "v")) { try again.write { try $0.put(key, "1") } }
        }
        try again.write { try $0.put(Array(longest.dropLast()) + [0x63], "1") }
        try again.write { try $0.put([UInt8](repeating: 0xff, count: 1024), "1") }
    }

    @Test func `a vote may be on nothing but what it read`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        _ = try store.prepare("reader") { _ = try $0.get("a") }
        expectError(.lockedByInDoubt(id: "reader")) { try store.write { try $0.put("a", "1") } }
        let again = try Store.simulated(disk.afterKill())
        #expect(try again.inDoubt().first?.readCount == 1)
        try again.commit("reader")
        #expect(try Store.checking(disk).inDoubt.count == 1)
    }
}
