import CommitLog
import Rootfast
import SpecSupport
import Testing

/// Two histories of one store: each is whole, and the files of one are not taken for those of the other. Nor is the beginning of
/// one taken for all of it.
@Suite struct ForeignHistoryTests {
    /// What became of a store that was copied and gone on with, with `value` where others have another of its length.
    private static func history(_ value: String, snapshot: Snapshot) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        func open(creating: Bool = false) throws -> Store {
            try MaintenanceRegressionTests.open(disk, creating: creating) {
                $0.segmentBytesMax = 1 << 20
                $0.snapshotsOnClose = snapshot == .inMidSegment
            }
        }
        var store = try open(creating: true)
        try store.write { try $0.put("a", "1") }
        // More than a snapshot on closing is worth.
        try store.write { try $0.put("b", value + String(repeating: ".", count: 200_000)) }
        switch snapshot {
        case .none: try store.maintenance.seal()
        case .atSegmentStart: try store.maintenance.takeSnapshot()
        case .inMidSegment:
            try store.close()
            store = try open()
            try #require(store.recovery.snapshotID != nil)
        }
        try store.write { try $0.put("c", "1") }
        return disk.afterKill()
    }

    enum Snapshot { case none, inMidSegment, atSegmentStart }

    /// One history with these files of the other.
    private static func mixed(_ snapshot: Snapshot, _ isOther: (String) -> Bool) throws -> SimulatedDisk {
        var files = try history("1", snapshot: snapshot).files
        let other = try history("2", snapshot: snapshot).files
        for (name, bytes) in other where isOther(name) {
            #expect(files[name]?.count == bytes.count || !name.hasPrefix("log/"))
            files[name] = bytes
        }
        return SimulatedDisk(files: files)
    }

    @Test(arguments: [Snapshot.inMidSegment, .atSegmentStart])
    func `a snapshot is not gone on from with the log of another history`(snapshot: Snapshot) throws {
        #expect(try Store.checking(Self.mixed(snapshot) { _ in true }).verdict == .sound)
        let disk = try Self.mixed(snapshot) { $0.hasPrefix("log/") }
        let report = try Store.checking(disk)
        #expect(report.verdict == .damaged)
        #expect(report.damage?.message.hasPrefix("The log is not the one that a snapshot at record 4") == true)
        #expect(report.damage?.place?.file == LogNames.segment(snapshot == .inMidSegment ? 1 : 2))
        expectError(.corrupt) { _ = try Store.simulated(disk) }
    }

    @Test func `a segment does not go on from one of another history`() throws {
        let disk = try Self.mixed(.none) { $0 == LogNames.segment(1) }
        let report = try Store.checking(disk)
        #expect(report.verdict == .damaged)
        #expect(report.damage?.message == "The segment does not go on where the one before it ended")
        #expect(report.damage?.place == .init(file: LogNames.segment(2), offset: 0, sequence: 2))
        expectError(.corrupt) { _ = try Store.simulated(disk) }
    }

    @Test func `a log that ends before what a snapshot holds is damage, and no torn tail`() throws {
        let whole = try Self.history("1", snapshot: .inMidSegment)
        let disk = whole.changing(LogNames.segment(1)) { $0 = Array($0[..<1000]) }
        #expect(try Store.checking(disk).damage?.message == "The log ends before record 4, which a snapshot holds")
        expectError(.corrupt) { _ = try Store.simulated(disk) }
    }
}
