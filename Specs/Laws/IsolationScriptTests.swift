import Rootfast
import SpecSupport
import Testing

/// The anomalies of the literature as interleavings by hand, after the scripts of Hermitage (Martin Kleppmann): the
/// weaker levels of isolation let some of them happen, here none does. Each transaction commits once or loses.
///
/// Two rows to begin with, `1` = 10 and `2` = 20. Where Hermitage has a predicate on values, a scan is what a
/// transaction reads.
@Suite struct IsolationScriptTests {
    private let store: Store

    init() throws {
        store = try Store.open(
            SimulatedDisk(), creating: true, options: Options(), environment: .deterministic())
        try store.write { tx in
            try tx.put("1", "10")
            try tx.put("2", "20")
        }
    }

    /// The values of the rows, in the order of their keys.
    private var rows: [String] { get throws { Self.values(try store.view.entries()) } }

    private static func values(_ entries: [Entry]) -> [String] {
        entries.map { String(decoding: $0.value, as: UTF8.self) }
    }

    /// What a predicate on values finds.
    private func rows(
        _ transaction: Transaction, where isWanted: (Int) -> Bool = { _ in true }
    ) throws -> [String] {
        Self.values(try transaction.entries()).filter { isWanted(Int($0)!) }
    }

    private func expectConflict(
        _ transaction: Transaction, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(sourceLocation: location) {
            try store.commit(transaction)
        } throws: {
            ($0 as? StoreError)?.code == .conflict
        }
    }

    @Test func `G0: writes of two transactions are not mixed`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        try t1.put("1", "11")
        try t2.put("1", "12")
        try t1.put("2", "21")
        _ = try store.commit(t1)
        #expect(try rows == ["11", "21"])
        try t2.put("2", "22")
        _ = try store.commit(t2)
        #expect(try rows == ["12", "22"])
    }

    @Test func `G1a: what is rolled back is read by nobody`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        try t1.put("1", "101")
        #expect(try rows(t2) == ["10", "20"])
        #expect(try store.get("1") == Array("10".utf8))
        // t1 is never committed.
        #expect(try rows(t2) == ["10", "20"])
        _ = try store.commit(t2)
        #expect(try rows == ["10", "20"])
    }

    @Test func `G1b: what is written over before the commit is read by nobody`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        try t1.put("1", "101")
        #expect(try t2.get("1") == Array("10".utf8))
        try t1.put("1", "11")
        _ = try store.commit(t1)
        #expect(try t2.get("1") == Array("10".utf8))
        _ = try store.commit(t2)
        #expect(try rows == ["11", "20"])
    }

    @Test func `G1c: two transactions do not read each other's writes`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        try t1.put("1", "11")
        try t2.put("2", "22")
        #expect(try t1.get("2") == Array("20".utf8))
        #expect(try t2.get("1") == Array("10".utf8))
        _ = try store.commit(t1)
        expectConflict(t2)
        #expect(try rows == ["11", "20"])
    }

    @Test func `OTV: a transaction that was observed does not vanish again`() throws {
        let (t1, t2, t3) = (try store.begin(), try store.begin(), try store.begin())
        try t1.put("1", "11")
        try t1.put("2", "19")
        try t2.put("1", "12")
        _ = try store.commit(t1)
        #expect(try t3.get("1") == Array("11".utf8))
        try t2.put("2", "18")
        #expect(try t3.get("2") == Array("19".utf8))
        _ = try store.commit(t2)
        #expect(try t3.get("2") == Array("19".utf8))
        #expect(try t3.get("1") == Array("11".utf8))
        _ = try store.commit(t3)
        #expect(try rows == ["12", "18"])
    }

    @Test func `PMP: a predicate finds the same each time`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        #expect(try rows(t1) { $0 == 30 } == [])
        try t2.put("3", "30")
        _ = try store.commit(t2)
        #expect(try rows(t1) { $0 % 3 == 0 } == [])
        _ = try store.commit(t1)
    }

    @Test func `PMP: a write by a predicate that another made find more is refused`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        // t1 adds 10 to all, t2 deletes all that are 20.
        for (key, value) in [("1", "20"), ("2", "30")] { try t1.put(key, value) }
        #expect(try rows(t2) { $0 == 20 } == ["20"])
        try t2.delete("2")
        _ = try store.commit(t1)
        expectConflict(t2)
        #expect(try rows == ["20", "30"])
    }

    @Test func `P4: no update is lost`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        #expect(try t1.get("1") == Array("10".utf8))
        #expect(try t2.get("1") == Array("10".utf8))
        try t1.put("1", "11")
        try t2.put("1", "11")
        _ = try store.commit(t1)
        expectConflict(t2)
        #expect(try rows == ["11", "20"])
    }

    @Test func `G-single: two reads do not see two states`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        #expect(try t1.get("1") == Array("10".utf8))
        #expect(try t2.get("1") == Array("10".utf8))
        #expect(try t2.get("2") == Array("20".utf8))
        try t2.put("1", "12")
        try t2.put("2", "18")
        _ = try store.commit(t2)
        #expect(try t1.get("2") == Array("20".utf8))
        _ = try store.commit(t1)
    }

    @Test func `G-single by predicates: two scans do not see two states`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        #expect(try rows(t1) { $0 % 5 == 0 } == ["10", "20"])
        #expect(try rows(t2) { $0 == 10 } == ["10"])
        try t2.put("1", "12")
        _ = try store.commit(t2)
        #expect(try rows(t1) { $0 % 3 == 0 } == [])
        _ = try store.commit(t1)
    }

    @Test func `G-single with a write by a predicate: what was read before is not forgotten`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        #expect(try t1.get("1") == Array("10".utf8))
        #expect(try rows(t2) == ["10", "20"])
        try t2.put("1", "12")
        try t2.put("2", "18")
        _ = try store.commit(t2)
        // t1 deletes all that are 20; what it finds is of the state that it began on.
        #expect(try rows(t1) { $0 == 20 } == ["20"])
        try t1.delete("2")
        expectConflict(t1)
        #expect(try rows == ["12", "18"])
    }

    @Test func `G-single with a write by a predicate, the other way about: the later to commit loses`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        #expect(try t1.get("1") == Array("10".utf8))
        #expect(try rows(t2) == ["10", "20"])
        try t2.put("1", "12")
        #expect(try rows(t1) { $0 == 20 } == ["20"])
        try t1.delete("2")
        try t2.put("2", "18")
        _ = try store.commit(t1)
        expectConflict(t2)
        #expect(try rows == ["10"])
    }

    @Test func `G2-item: no write skew on two rows`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        for transaction in [t1, t2] {
            #expect(try transaction.get("1") == Array("10".utf8))
            #expect(try transaction.get("2") == Array("20".utf8))
        }
        try t1.put("1", "11")
        try t2.put("2", "21")
        _ = try store.commit(t1)
        expectConflict(t2)
        #expect(try rows == ["11", "20"])
    }

    @Test func `G2: no write skew on a predicate`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        for transaction in [t1, t2] { #expect(try rows(transaction) { $0 % 3 == 0 } == []) }
        try t1.put("3", "30")
        try t2.put("4", "42")
        _ = try store.commit(t1)
        expectConflict(t2)
        #expect(try rows == ["10", "20", "30"])
    }

    @Test func `G2 with two edges: one that only reads sees no state that no order explains`() throws {
        let (t1, t2, t3) = (try store.begin(), try store.begin(), try store.begin())
        #expect(try rows(t1) == ["10", "20"])
        try t2.put("2", "25")
        _ = try store.commit(t2)
        #expect(try rows(t3) == ["10", "25"])
        _ = try store.commit(t3)
        try t1.put("1", "0")
        expectConflict(t1)
        #expect(try rows == ["10", "25"])
    }

    // MARK: - With votes

    /// Expects that a vote keeps a transaction from its end.
    private func expectLocked(
        by id: String, at location: SourceLocation = #_sourceLocation, _ end: () throws -> Void
    ) {
        #expect(sourceLocation: location) {
            try end()
        } throws: {
            ($0 as? StoreError)?.code == .lockedByInDoubt(id: id)
        }
    }

    @Test func `G2-item with a vote: what it read is written by nobody`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        for transaction in [t1, t2] { #expect(try rows(transaction) == ["10", "20"]) }
        try t1.put("1", "11")
        try t2.put("2", "21")
        _ = try store.prepare(t1, id: "t1")
        expectLocked(by: "t1") { _ = try store.commit(t2) }
        try store.commit("t1")
        #expect(try rows == ["11", "20"])
    }

    @Test func `G2 with two votes: what one finds by a predicate the other does not write`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        for transaction in [t1, t2] { #expect(try rows(transaction) { $0 % 3 == 0 } == []) }
        try t1.put("3", "30")
        try t2.put("4", "42")
        _ = try store.prepare(t1, id: "t1")
        expectLocked(by: "t1") { _ = try store.prepare(t2, id: "t2") }
        try store.abort("t1")
        #expect(try rows == ["10", "20"])
    }

    @Test func `G1a with a vote: what is aborted is read by nobody`() throws {
        let (t1, t2) = (try store.begin(), try store.begin())
        try t1.put("1", "101")
        _ = try store.prepare(t1, id: "t1")
        #expect(try rows(t2) == ["10", "20"])
        #expect(try rows == ["10", "20"])
        try store.abort("t1")
        try t2.put("2", "22")
        _ = try store.commit(t2)
        #expect(try rows == ["10", "22"])
    }
}
