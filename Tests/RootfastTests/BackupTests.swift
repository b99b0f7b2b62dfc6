import CommitLog
import Foundation
import Hashing
import Rootfast
import SQLite
import SeededRandom
import SpecSupport
import Testing

/// Copies of a store, and what is left of a damaged one.
@Suite struct BackupTests {
    @Test func `a backup of a store that is being written is whole, at a root of its history`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path)
        for i in 0..<300 { try store.write { try $0.put("key \(i)", "0") } }
        try store.write { try $0.put("long", [UInt8](repeating: 1, count: 5000)) }
        try store.maintenance.compact()
        let isDone = Flag()
        let finished = Flag()
        DispatchQueue.global().async {
            var i = 0
            while !isDone.isSet {
                _ = try? store.write { tx in
                    try tx.put("a", "\(i)")
                    try tx.put("b", "\(i)")
                }
                i += 1
            }
            finished.set()
        }
        for _ in 0..<5 {
            let copy = TemporaryFolder()
            let report = try store.backup(to: copy.path)
            #expect(try Store.check(copy.path).verdict == .sound)
            let opened = try Store.open(copy.path, mode: .readOnly)
            #expect(opened.uuid == store.uuid && opened.root == report.root)
            #expect(try opened.get("a") == opened.get("b"))
            #expect(try definedRoot(opened.view) == report.root)
        }
        isDone.set()
        while !finished.isSet { usleep(1000) }
        let taken = TemporaryFolder()
        try store.backup(to: taken.path)
        expectError(.invalidArgument) { try store.backup(to: taken.path) }
    }

    /// The state file of a copy had a rollback journal in place of a write-ahead log: what a kill left of it, when the copy was
    /// put in the original's place, nobody could read.
    @Test func `the state file of a backup is one like that of any store`() throws {
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try SnapshotTests.open(folder.path)
        for i in 0..<300 { try store.write { try $0.put("key \(i)", "0") } }
        try store.maintenance.takeSnapshot()
        try store.backup(to: copy.path)
        let header = try Data(contentsOf: URL(fileURLWithPath: copy.path + "/state.sqlite")).prefix(20)
        // The versions of the file's format for writing and reading: 2 with a write-ahead log.
        #expect(Array(header.suffix(2)) == [2, 2])
    }

    /// It failed, and said that the state file was damaged.
    @Test func `a store that is read only is not backed up`() throws {
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try SnapshotTests.open(folder.path)
        try store.write { try $0.put("a", "0") }
        try store.maintenance.takeSnapshot()
        try store.close()
        let reader = try Store.open(folder.path, mode: .readOnly)
        expectError(.readOnly) { try reader.backup(to: copy.path) }
    }

    @Test func `a restored copy is a store of its own, with the votes and outcomes of its time`() throws {
        var rng = SeededGenerator(seed: 2)
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try SnapshotTests.open(folder.path) { $0.retention.segments = .init() }
        var model = SnapshotTests.Model()
        for round in 0..<40 {
            try model.commit(store, &rng)
            if round == 20 { try store.maintenance.takeSnapshot() }
        }
        try model.vote(store, &rng)
        let then = model
        let sequence = store.view.sequence
        for _ in 0..<10 { try model.commit(store, &rng) }
        try model.decide(store, &rng)
        try store.close()

        let report = try Store.restore(from: folder.path, at: .sequence(sequence), to: copy.path)
        #expect(report.sequence == sequence && report.root == model.history[sequence]!.root)
        #expect(report.uuid != store.uuid)
        let restored = try SnapshotTests.open(copy.path)
        try then.expect(restored)
        try restored.write { try $0.put("new", "life") }
        #expect(restored.view.sequence == sequence + 1)
        try restored.close()
        let check = try Store.check(copy.path)
        #expect(check.verdict == .wantsAttention, "\(String(describing: check.damage))")

        let newest = TemporaryFolder()
        try Store.restore(from: folder.path, to: newest.path)
        try model.expect(try SnapshotTests.open(newest.path))
    }

    @Test func `a state is restored as of a time`() throws {
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try SnapshotTests.open(folder.path)
        try store.write { try $0.put("a", "1") }
        usleep(2000)
        let now = UInt64(Date().timeIntervalSince1970 * 1_000_000)
        usleep(2000)
        try store.write { try $0.put("a", "2") }
        try store.close()
        #expect(try Store.restore(from: folder.path, at: .time(now), to: copy.path).sequence == 1)
        #expect(try Store.open(copy.path, mode: .readOnly).get("a") == utf8("1"))
    }

    @Test func `a state exported for SQL is what sqlite3 reads`() throws {
        let folder = TemporaryFolder()
        let store = try SnapshotTests.open(folder.path)
        try store.write { tx in
            try tx.put("text", "it's")
            try tx.put([0xff, 0x00] as [UInt8], [1, 2, 0xfe] as [UInt8])
            try tx.put("empty", "")
        }
        let file = folder.path + "/export.db"
        try store.view.export(toSQLite: file)
        let script = """
            import sqlite3, sys
            for row in sqlite3.connect(sys.argv[1]).execute("SELECT key, value FROM state ORDER BY key"): print(row)
            """
        let output = try run("/usr/bin/env", "python3", "-c", script, file)
        #expect(output == "('empty', '')\n('text', \"it's\")\n(b'\\xff\\x00', b'\\x01\\x02\\xfe')\n")
        expectError(.invalidArgument) { try store.view.export(toSQLite: file) }
    }

    /// SQLite took what follows for a host.
    @Test func `a path with two slashes at its beginning names a file`() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
        let connection = try SQLite.Connection(path: "/" + folder.path + "/a.db", .create)
        try connection.execute("CREATE TABLE a (b)")
        #expect(FileManager.default.fileExists(atPath: folder.path + "/a.db"))
    }

    // MARK: - Damage

    /// A closed store whose oldest segments are gone, and what it holds.
    static func compacted(_ folder: TemporaryFolder, seed: UInt64) throws -> SnapshotTests.Model {
        var rng = SeededGenerator(seed: seed)
        let store = try SnapshotTests.open(folder.path)
        var model = SnapshotTests.Model()
        for _ in 0..<4 {
            for _ in 0..<60 { try model.commit(store, &rng) }
            try store.maintenance.compact()
        }
        for _ in 0..<5 { try model.commit(store, &rng) }
        try store.close()
        return model
    }

    @Test func `a snapshot that is not whole is passed over for the one before, and told`() throws {
        let folder = TemporaryFolder()
        let model = try Self.compacted(folder, seed: 3)
        try SQLite.Connection(path: folder.path + "/state.sqlite", .readWrite)
            .execute("UPDATE snapshots SET key_count = key_count + 1 WHERE id = (SELECT max(id) FROM snapshots)")
        let report = try Store.check(folder.path)
        #expect(report.verdict == .damaged && report.damage?.place?.file == "state.sqlite")
        var store = try SnapshotTests.open(folder.path)
        #expect(store.recovery.badSnapshots.count == 1)
        try model.expect(store)
        // It goes on from there, and is sound again.
        try store.write { try $0.put("on", "1") }
        try store.maintenance.compact()
        try store.close()
        #expect(try Store.check(folder.path).verdict == .sound)
        store = try SnapshotTests.open(folder.path)
        #expect(store.recovery.badSnapshots.isEmpty)
        #expect(try store.get("on") == utf8("1"))
    }

    @Test func `whatever number of a snapshot's row is changed, it is found out`() throws {
        let folder = TemporaryFolder()
        let model = try Self.compacted(folder, seed: 7)
        let database = try SQLite.Connection(path: folder.path + "/state.sqlite", .readWrite)
        for column in [
            "sequence", "n", "timestamp", "segment", "byte", "key_count", "outcome_count", "root_page", "root_slot",
            "slot_count", "value_count", "last_page", "last_value",
        ] {
            func change(by number: Int) throws {
                try database.execute(
                    """
                    UPDATE snapshots SET \(column) = \(column) + \(number) \
                    WHERE id = (SELECT max(id) FROM snapshots)
                    """)
            }
            try change(by: 1)
            let store = try Store.open(folder.path, mode: .readOnly)
            #expect(store.recovery.badSnapshots.count == 1, "\(column)")
            try model.expect(store)
            try store.close()
            try change(by: -1)
        }
        #expect(try Store.open(folder.path, mode: .readOnly).recovery.badSnapshots.isEmpty)
    }

    @Test func `without any snapshot and without the log before it a store does not open, and says what helps`() throws
    {
        for damage in ["DELETE FROM snapshots", "UPDATE snapshots SET root = 'x'", nil] {
            let folder = TemporaryFolder()
            _ = try Self.compacted(folder, seed: 4)
            if let damage {
                try SQLite.Connection(path: folder.path + "/state.sqlite", .readWrite).execute(damage)
            } else {
                try FileManager.default.removeItem(atPath: folder.path + "/state.sqlite")
            }
            expectError(.corrupt) { _ = try SnapshotTests.open(folder.path) }
            #expect(try Store.check(folder.path).damage?.advice?.contains("salvage") == true)
        }
    }

    @Test(arguments: 0..<8) func `a flipped bit of the state file is never a wrong answer`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let (folder, target) = (TemporaryFolder(), TemporaryFolder())
        let model = try Self.compacted(folder, seed: 5)
        let path = folder.path + "/state.sqlite"
        let honest = try Data(contentsOf: URL(fileURLWithPath: path))
        var found = 0
        for _ in 0..<30 {
            var bytes = honest
            let position = Int.random(in: 0..<bytes.count, using: &rng)
            bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &rng)
            try bytes.write(to: URL(fileURLWithPath: path))
            if try Store.check(folder.path).verdict == .damaged { found += 1 }
            do {
                let store = try Store.open(folder.path, mode: .readOnly)
                for (key, value) in model.state { #expect(try store.get(key) == value, "byte \(position)") }
                try store.close()
            } catch let error {
                #expect(error.code == .corrupt || "\(error.code)".contains("inputOutput"), "\(error)")
            }
        }
        #expect(found > 5)
        try honest.write(to: URL(fileURLWithPath: path))
        #expect(try Store.salvage(folder.path, to: target.path).isWhole)
    }

    @Test(arguments: 0..<10) func `what is salvaged was there, and what is not is told`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let (folder, target) = (TemporaryFolder(), TemporaryFolder())
        let model = try Self.compacted(folder, seed: 6)
        let database = try SQLite.Connection(path: folder.path + "/state.sqlite", .readWrite)
        let pages = try database.rows("SELECT id FROM pages") { $0.integer(0) }
        for _ in 0..<3 {
            try database.run("DELETE FROM pages WHERE id = ?", .integer(pages.randomElement(using: &rng)!))
        }
        do {
            let report = try Store.salvage(folder.path, to: target.path)
            let copy = try Store.open(target.path, mode: .readOnly)
            #expect(report.isWhole || !report.losses.isEmpty)
            if report.isWhole {
                let state = report.copy.sequence
                #expect(copy.root == report.copy.root)
                #expect(model.history[state]?.root == copy.root)
            }
            let every = model.history.values.map(\.state)
            try copy.view.scan { key, value in
                let (key, value) = (Array(key), Array(value))
                #expect(every.contains { $0[key] == value })
                return true
            }
        } catch let error as StoreError {
            #expect(error.code == .corrupt)
        }
    }
}

/// `@unchecked Sendable`, because the flag is touched under `lock` only.
private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false
    var isSet: Bool { lock.withLock { value } }
    func set() { lock.withLock { value = true } }
}
