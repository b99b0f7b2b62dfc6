import CommitLog
import Foundation
import Rootfast
import SpecSupport
import Testing

/// What is told of the past where the log is damaged, and what belongs to a moment of it.
@Suite struct PastDamageTests {
    /// Changes a byte of a segment in the midst of the line that holds `text`.
    private static func damage(_ path: String, _ segment: UInt64, at text: String) throws {
        let url = URL(fileURLWithPath: path + "/" + LogNames.segment(segment))
        var bytes = try Data(contentsOf: url)
        let place = try #require(bytes.range(of: Data(text.utf8)))
        bytes[place.lowerBound + 1] ^= 1
        try bytes.write(to: url)
    }

    private static var now: UInt64 { UInt64(Date().timeIntervalSince1970 * 1_000_000) }

    /// The end of what could be read was taken for the end of the log: a state of long before was restored in silence.
    @Test func `a time is not looked for beyond damage`() throws {
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try SnapshotTests.open(folder.path)
        var times: [UInt64] = []
        for i in 1...10 {
            try store.write { try $0.put("key \(i)", String(repeating: "x", count: 20_000)) }
            times.append(Self.now)
            usleep(2000)
        }
        try store.close()
        try Self.damage(folder.path, 1, at: "key 6")
        let reader = try Store.open(folder.path, mode: .readOnly)
        #expect(try reader.sequence(at: times[2]) == 3)
        for time in [times[8], Self.now] {
            expectError(.corrupt) { _ = try reader.sequence(at: time) }
            expectError(.corrupt) { try Store.restore(from: folder.path, at: .time(time), to: copy.path) }
        }
    }

    /// Votes and decisions between two commits belonged to the first of these, however late they came.
    @Test func `a state as of a time has the votes of that time`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path)
        try store.write { try $0.put("a", "1") }
        _ = try store.prepare("early") { try $0.put("b", "1") }
        let time = Self.now
        usleep(2000)
        _ = try store.prepare("late") { try $0.put("c", "1") }
        try store.abort("early")
        try store.maintenance.takeSnapshot()
        try store.close()
        for (point, votes) in [(RestorePoint.time(time), ["early"]), (.sequence(1), ["late"]), (.newest, ["late"])] {
            let copy = TemporaryFolder()
            try Store.restore(from: folder.path, at: point, to: copy.path)
            #expect(try Store.open(copy.path).inDoubt().map(\.id) == votes, "\(point)")
        }
    }

    /// The log was told up to the damage, and on from the next segment, as if nothing were missing.
    @Test func `the log is not told across damage`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path) { $0.snapshotsOnClose = false }
        for i in 1...9 {
            try store.write { try $0.put("key \(i)", "1") }
            if i % 3 == 0 { try store.maintenance.seal() }
        }
        try store.close()
        try Self.damage(folder.path, 2, at: "key 5")
        var lineCount = 0
        expectError(.corrupt) {
            try Store.log(folder.path) { _ in
                lineCount += 1
                return true
            }
        }
        // Two first lines, and two of each commit that comes before.
        #expect(lineCount == 2 + 2 * 4)
    }

    /// Damage on the way to a state was told as that it is not there any more, with the advice to keep more.
    @Test func `a state behind damage is told to be damaged`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path) {
            $0.retention.snapshots = .init()
            $0.retention.segments = .init(count: 2)
            $0.snapshotsOnClose = false
        }
        for round in 1...3 {
            for i in 1...3 { try store.write { try $0.put("key \(round) \(i)", "1") } }
            try store.maintenance.takeSnapshot()
        }
        try store.maintenance.retain()
        #expect(try store.maintenance.segments().map(\.number) == [2, 3, 4])
        try store.close()
        try Self.damage(folder.path, 2, at: "key 2 2")
        let reader = try Store.open(folder.path, mode: .readOnly)
        #expect(try reader.view(at: 3).count == 3)
        expectError(.corrupt) { _ = try reader.view(at: 5) }
        #expect(try reader.view(at: 6).count == 6)
    }
}
