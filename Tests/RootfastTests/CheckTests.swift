import CommitLog
import Rootfast
import SQLite
import SpecSupport
import Testing

/// What `check` finds that opening does not come by, and what it makes of a writer at work.
@Suite struct CheckTests {
    /// It was told as a call that failed: only damage is looked at again beside a writer, who may have removed the file.
    ///
    /// Or it was told as damage, where the catalogue had been read before: that is one state of the file for all of a check.
    @Test(arguments: 1...6)
    func `a segment reclaimed while the log is read beside its writer is no damage and no failure`(moment: Int) throws {
        let disk = SimulatedDisk()
        let store = try MaintenanceRegressionTests.open(disk, creating: true)
        for round in 1...6 { try MaintenanceRegressionTests.fill(store, round: round) }
        try store.maintenance.takeSnapshot()
        try MaintenanceRegressionTests.fill(store, round: 6)
        var isReclaimed = false
        var callCount = 0
        let report = try Store.check(disk, isBeingWritten: true, .deterministic()) { stage, _, _ in
            callCount += 1
            guard stage == .log, callCount == moment, !isReclaimed else { return }
            isReclaimed = true
            for round in 7...10 {
                #expect(throws: Never.self) {
                    try store.maintenance.compact()
                    try MaintenanceRegressionTests.fill(store, round: round)
                }
            }
        }
        #expect(isReclaimed && disk.files[LogNames.segment(2)] == nil)
        #expect(report.verdict == .sound && report.isBeingWritten && report.sequence >= 6)
    }

    @Test func `a store that a writer opens while it is checked is checked again beside it`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        _ = try store.prepare("vote") { try $0.put("a", "1") }
        // Beside a writer the last flush is not seen.
        try store.write { try $0.put("b", "1") }
        try store.close()
        var writer: Store?
        let report = try Store.check(folder.path) { _, _, _ in
            if writer == nil { writer = try? Store.open(folder.path) }
        }
        #expect(writer != nil && report.isBeingWritten)
        #expect(report.verdict == .wantsAttention && report.inDoubt.map(\.id) == ["vote"])
        #expect(try Store.check(folder.path).isBeingWritten)
        try writer?.close()
        #expect(try !Store.check(folder.path).isBeingWritten)
    }

    /// A state file that could not be read because of a refused call was told to be damaged.
    @Test(arguments: [5, 24] as [Int32]) func `a call that the system refuses is no damage`(errno: Int32) throws {
        let disk = SimulatedDisk()
        let store = try MaintenanceRegressionTests.open(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        try store.maintenance.takeSnapshot()
        try store.close()
        var callCount = 0
        disk.setFault { call, name in
            guard name == "state.sqlite", call == "pread" || call == "openat" else { return nil }
            callCount += 1
            // Whether the file is there can be told.
            return callCount > 2 ? errno : nil
        }
        do {
            let report = try Store.checking(disk)
            Issue.record("\(report.verdict): \(String(describing: report.damage))")
        } catch let error as StoreError {
            guard case .inputOutput = error.code else { throw error }
        }
        #expect(callCount > 2)
        disk.setFault(nil)
        #expect(try Store.checking(disk).verdict == .sound)
    }

    @Test func `an outcome that is not what it was when the snapshot was taken is damage`() throws {
        let disk = SimulatedDisk()
        let store = try MaintenanceRegressionTests.open(disk, creating: true)
        for id in ["t1", "t2"] { try store.write(id: id) { try $0.put("a", "1") } }
        let snapshot = try store.maintenance.takeSnapshot()
        try store.close()
        let database = disk.database("state.sqlite")
        try Connection(path: database.path, vfs: database.vfs, .readWrite).execute(
            "UPDATE outcomes SET tx_id = 't3' WHERE tx_id = 't2'")
        let report = try Store.checking(disk)
        #expect(report.verdict == .damaged)
        #expect(report.damage?.message == "The outcomes are not what snapshot \(snapshot.id) says of them")
        #expect(report.damage?.place == .init(file: "state.sqlite", sequence: 2))
    }
}
