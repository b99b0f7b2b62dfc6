import CommitLog
import Rootfast
import SpecSupport
import Testing

/// What `check` finds that opening does not come by, and what it makes of a writer at work.
@Suite struct CheckTests {
    /// It was told as a call that failed: only damage is looked at again beside a writer, who may have removed the file.
    @Test func `a segment reclaimed while the log is read beside its writer is no damage and no failure`() throws {
        let disk = SimulatedDisk()
        let store = try MaintenanceRegressionTests.open(disk, creating: true)
        for round in 1...6 { try MaintenanceRegressionTests.fill(store, round: round) }
        var isReclaimed = false
        let report = try Store.check(disk, isBeingWritten: true, .deterministic()) { stage, _, _ in
            guard stage == .log, !isReclaimed else { return }
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
}
