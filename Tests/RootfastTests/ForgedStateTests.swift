import CommitLog
import FuzzSubjects
import Hashing
import Rootfast
import SQLite
import SpecSupport
import StateTree
import Testing

/// State files that somebody wrote, with every checksum and hash made right, and what each of them did.
@Suite struct ForgedStateTests {
    private static let segment = "log/0000000001.jsonl"

    /// A store that was closed with a snapshot behind its last record, a commit or a vote, in its only segment.
    private static func sample(
        endsWithVote: Bool = false, _ fill: (Transaction) throws -> Void = { try $0.put("a", "1") }
    ) throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try MaintenanceRegressionTests.open(disk, creating: true) {
            ($0.snapshotsOnClose, $0.segmentBytesMax) = (true, 64 << 20)
        }
        // So much log that closing is worth a snapshot.
        try store.write { try $0.put("long", String(repeating: "x", count: 200_000)) }
        try store.write { tx in
            try tx.delete("long")
            try fill(tx)
        }
        if endsWithVote { _ = try store.prepare("vote") { try $0.put("v", String(repeating: "x", count: 5000)) } }
        try store.close()
        return disk
    }

    /// The same with other rows in the state file, and the right hash for each snapshot.
    private static func forging(
        _ disk: SimulatedDisk, _ forge: (Connection) throws -> Void
    ) throws -> SimulatedDisk {
        let forged = SimulatedDisk(files: disk.files)
        do {
            let location = forged.database("state.sqlite")
            let file = try Connection(path: location.path, vfs: location.vfs, .readWrite)
            try forge(file)
            try SnapshotHash.makeRight(in: file)
        }
        return SimulatedDisk(files: forged.files)
    }

    private static func forging(_ disk: SimulatedDisk, set columns: String) throws -> SimulatedDisk {
        try forging(disk) { try $0.execute("UPDATE snapshots SET \(columns)") }
    }

    /// Why a store is damaged.
    private static func damage(of disk: SimulatedDisk) throws -> String {
        let report = try Store.checking(disk)
        #expect(report.verdict == .damaged)
        return report.damage?.message ?? ""
    }

    private static func withCRC(_ page: [UInt8]) -> [UInt8] {
        page + withUnsafeBytes(of: page.withUnsafeBytes { CRC32C.checksum($0) }.littleEndian) { Array($0) }
    }

    // MARK: - The row

    /// A root page of 0 stood for a state without keys, whatever the root: a full one was shown as empty.
    @Test func `a snapshot with keys has a root page`() throws {
        let image = try Self.forging(Self.sample(), set: "root_page = 0")
        #expect(try Self.damage(of: image) == "There is a damaged snapshot 1: its page numbers cannot be")
        // The log is whole, so what it holds is shown.
        #expect(try MaintenanceRegressionTests.open(image).get("a") == utf8("1"))
    }

    /// The first write ended the process, or the next snapshot did.
    @Test(arguments: ["id", "n", "sequence", "segment", "byte", "outcome_count"])
    func `a snapshot's numbers leave room for what follows`(column: String) throws {
        let image = try Self.forging(Self.sample()) { file in
            let id = column == "id" ? Int64(1) << 62 : 1
            if column != "id" { try file.execute("UPDATE snapshots SET \(column) = \(Int64.max)") }
            for (table, column) in [("snapshots", "id"), ("free_numbers", "snapshot")] {
                try file.execute("UPDATE \(table) SET \(column) = \(id)")
            }
        }
        #expect(try Self.damage(of: image).hasSuffix(": its numbers cannot be"))
        let store = try MaintenanceRegressionTests.open(image)
        try store.write { try $0.put("b", "2") }
        try store.maintenance.takeSnapshot()
        #expect(try store.view.get("a") == utf8("1"))
    }

    @Test func `a snapshot's time leaves room for what follows`() throws {
        let image = try Self.forging(Self.sample(), set: "timestamp = \(UInt64(1) << 53)")
        #expect(try Self.damage(of: image).hasSuffix(": its numbers cannot be"))
        try MaintenanceRegressionTests.open(image).write { try $0.put("b", "2") }
    }

    // MARK: - The row and the log

    /// Of the flush that a snapshot stands behind, the chain alone was compared: a snapshot of another state was shown,
    /// if no flush followed it.
    @Test func `a snapshot has the root that the log recorded`() throws {
        let key = utf8("a")
        let tree = StateHash.leaf(key: key, valueHash: BLAKE2b.hash(utf8("9")))
        let image = try Self.forging(Self.sample()) { file in
            let page = Self.withCRC([1, 0, 1, 0, 1, 0, 1, 0] + key + utf8("9"))
            try file.run("UPDATE pages SET image = ?", .blob(page))
            try file.run(
                "UPDATE snapshots SET tree = ?, root = ?", .text("\(tree)"),
                .text("\(StateHash.root(count: 1, tree: tree))"))
        }
        expectError(.corrupt) { _ = try MaintenanceRegressionTests.open(image) }
        #expect(try Self.damage(of: image) == "The log is not the one that a snapshot at record 4 goes on from")
    }

    @Test(arguments: ["n = 9", "sequence = 7", "timestamp = timestamp - 1"], [false, true])
    func `a snapshot has the numbers that the log recorded`(columns: String, endsWithVote: Bool) throws {
        let image = try Self.forging(Self.sample(endsWithVote: endsWithVote), set: columns)
        #expect(try Self.damage(of: image).hasPrefix("The log "))
        // A vote does not have the sequence of the commit before.
        guard !endsWithVote || !columns.hasPrefix("sequence") else { return }
        expectError(.corrupt) { _ = try MaintenanceRegressionTests.open(image) }
    }

    @Test func `a snapshot behind a long vote is gone on from`() throws {
        let image = try Self.sample(endsWithVote: true)
        let store = try MaintenanceRegressionTests.open(image)
        #expect(store.recovery.snapshotID == 1)
        #expect(try store.inDoubt().map(\.id) == ["vote"])
        #expect(try Store.checking(image).damage == nil)
    }

    // MARK: - Pages

    /// Looking for a page of such a number in SQLite ended the process.
    @Test func `a page number of 2^63 and more is refused`() throws {
        let disk = try Self.sample { tx in for i in 0..<300 { try tx.put("key \(i)", "\(i)") } }
        let image = try Self.forging(disk) { file in
            let root = "id = (SELECT root_page FROM snapshots)"
            let page = try #require(try file.row("SELECT image FROM pages WHERE \(root)") { $0.blob(0) })
            var forged = Array(page.dropLast(4))
            let children = Self.children(in: forged)
            try #require(!children.isEmpty)
            for child in children { forged[child + 11] = 0x80 }
            try file.run("UPDATE pages SET image = ? WHERE \(root)", .blob(Self.withCRC(forged)))
        }
        #expect(try Self.damage(of: image).contains("it refers to what has no number"))
        #expect(try MaintenanceRegressionTests.open(image).get("key 7") == utf8("7"))
    }

    /// Where a page has the slots and ids of its children.
    private static func children(in page: [UInt8]) -> [Int] {
        func number(at offset: Int) -> Int { Int(page[offset]) | Int(page[offset + 1]) << 8 }
        var offset = 4 + 2 * (number(at: 2) - 1)
        var children: [Int] = []
        while offset < page.count {
            let (keyCount, valueCount) = (number(at: offset), number(at: offset + 2))
            if keyCount == 0 { children.append(offset + 4) }
            offset += 4 + (keyCount == 0 ? 44 : keyCount + (valueCount == 0xffff ? 48 : valueCount))
        }
        return children
    }

    // MARK: - The log

    /// Where the first segment is missing, the one before the first that is there was named: before 0 there is none.
    @Test func `a file with the name of segment 0 is no segment`() throws {
        let whole = try Self.forging(Self.sample()) { file in
            for table in ["snapshots", "free_numbers", "pages"] { try file.execute("DELETE FROM \(table)") }
        }
        var files = whole.files
        files["log/0000000000.jsonl"] = files[Self.segment]
        #expect(try MaintenanceRegressionTests.open(SimulatedDisk(files: files)).get("a") == utf8("1"))
        files[Self.segment] = nil
        let image = SimulatedDisk(files: files)
        expectError(.corrupt) { _ = try MaintenanceRegressionTests.open(image) }
        #expect(try Self.damage(of: image) == "The segment is missing")
    }
}
