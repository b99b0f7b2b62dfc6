import CommitLog
import SQLite
import SeededRandom
import SpecSupport
import Testing

/// SQLite on the simulated disk does what SQLite does, and its promises hold there and only because of its syncs.
@Suite struct SimulatedDatabaseTests {
    private static func open(_ disk: SimulatedDisk) throws -> Connection {
        let location = disk.database("state.sqlite")
        return try Connection(path: location.path, vfs: location.vfs, .create)
    }

    private static func dump(_ database: Connection) throws -> [String] {
        try database.rows("SELECT id, hex(value) FROM t ORDER BY id") { "\($0.integer(0)) \($0.text(1))" }
    }

    /// A change of the table, the same for each database that it is run on.
    private enum Change {
        case put(Int, [UInt8])
        case delete(below: Int)

        init(_ rng: inout SeededGenerator) {
            if rng.oneIn(8) {
                self = .delete(below: .random(in: 0..<20, using: &rng))
            } else {
                self = .put(.random(in: 0..<60, using: &rng), rng.bytes(.random(in: 0...9000, using: &rng)))
            }
        }

        func run(on database: Connection) throws {
            switch self {
            case .put(let id, let value):
                try database.run("INSERT OR REPLACE INTO t VALUES (?,?)", .number(id), .blob(value))
            case .delete(let id): try database.run("DELETE FROM t WHERE id < ?", .number(id))
            }
        }
    }

    private static let modes = ["WAL", "DELETE", "TRUNCATE"]
    private static let table = "PRAGMA auto_vacuum = INCREMENTAL; CREATE TABLE t (id INTEGER PRIMARY KEY, value BLOB)"

    // MARK: - The same as elsewhere

    @Test(arguments: 1...20)
    func `any sequence of statements leaves what it leaves in memory`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let disk = SimulatedDisk()
        let model = try Connection(path: ":memory:", .create)
        var database = try Self.open(disk)
        for each in [model, database] { try each.execute(Self.table) }
        for _ in 0..<60 {
            let changes = (0...Int.random(in: 0..<6, using: &rng)).map { _ in Change(&rng) }
            let end = rng.oneIn(4) ? "ROLLBACK" : "COMMIT"
            for each in [model, database] {
                try each.execute("BEGIN")
                for change in changes { try change.run(on: each) }
                try each.execute(end)
            }
            switch Int.random(in: 0..<8, using: &rng) {
            case 0: try database.execute("PRAGMA journal_mode = \(Self.modes.randomElement(using: &rng)!)")
            case 1: try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            case 2: try database.execute("PRAGMA incremental_vacuum(3)")
            case 3: database = try Self.open(disk)
            default: break
            }
            // A second connection sees the same, and so does a process that takes over from one that was killed.
            #expect(try Self.dump(Self.open(disk)) == Self.dump(model), "seed \(seed)")
            if rng.oneIn(4) { #expect(try Self.dump(Self.open(disk.afterKill())) == Self.dump(model), "seed \(seed)") }
        }
        #expect(try database.rows("PRAGMA integrity_check") { $0.text(0) } == ["ok"], "seed \(seed)")
    }

    @Test func `a writer waits for no reader and no reader for it, and two writers exclude each other`() throws {
        let disk = SimulatedDisk()
        let (first, second) = (try Self.open(disk), try Self.open(disk))
        try first.execute("PRAGMA journal_mode = WAL;" + Self.table)
        try second.execute("BEGIN; SELECT count(*) FROM t")
        try first.execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1, 'one')")
        #expect(try Self.dump(second).isEmpty)
        let third = try Self.open(disk)
        #expect { try third.execute("BEGIN IMMEDIATE") } throws: { ($0 as? SQLiteError)?.isBusy == true }
        try first.execute("COMMIT")
        #expect(try Self.dump(second).isEmpty)
        try second.execute("COMMIT")
        #expect(try Self.dump(second) == ["1 6F6E65"])
    }

    // MARK: - Trouble

    @Test func `a call that fails is told with its errno, and what was committed stays`() throws {
        var (told, known): ([Int32: Int], Int) = ([:], 0)
        for (errno, call): (Int32, String) in [
            (5, "pwrite"), (28, "pwrite"), (5, "fdatasync"), (5, "openat"), (5, "ftruncate"), (5, "pread"),
        ] {
            let disk = SimulatedDisk()
            var database = try Self.open(disk)
            try database.execute("PRAGMA journal_mode = WAL;" + Self.table + "; INSERT INTO t VALUES (1, 'one')")
            disk.setFault { name, _ in name == call ? errno : nil }
            do {
                try Self.open(disk).execute("INSERT INTO t VALUES (2, 'two'); PRAGMA wal_checkpoint(TRUNCATE)")
            } catch let error as SQLiteError {
                told[error.primaryCode, default: 0] += 1
                #expect(error.isLackOfRoom == (errno == 28), "\(call)")
                // Where a commit fails, SQLite keeps no errno.
                #expect([0, errno].contains(error.errno), "\(call)")
                if error.errno == errno { known += 1 }
            }
            disk.setFault(nil)
            database = try Self.open(disk.afterKill())
            #expect(try Self.dump(database).first == "1 6F6E65", "\(call)")
        }
        // SQLITE_IOERR for what cannot be written, read, synced; SQLITE_FULL; SQLITE_CANTOPEN.
        #expect(told == [10: 4, 13: 1, 14: 1] && known == 3)
    }

    // MARK: - Crashes

    /// What a power loss at any call of a run left.
    private struct Losses {
        var images = 0
        var logged = 0
        var lost = 0
        var damaged = 0
    }

    /// Runs transactions that each count themselves, and opens images of the disk as it was at each call.
    private static func losses(seed: UInt64, mode: String, synchronous: String) throws -> Losses {
        var rng = SeededGenerator(seed: seed)
        let disk = SimulatedDisk()
        let database = try open(disk)
        try database.execute("PRAGMA synchronous = FULL; PRAGMA journal_mode = \(mode);" + table)
        _ = try disk.open("state.sqlite", .write)?.sync()
        try disk.syncFolder("")
        try database.execute(
            "PRAGMA synchronous = \(synchronous); PRAGMA cache_size = 4; PRAGMA wal_autocheckpoint = 30")
        var states = [try dump(database)]
        let moments = Moments(disk)
        for i in 1...12 {
            moments.acknowledged = states.count - 1
            try database.execute("BEGIN")
            for _ in 0..<Int.random(in: 1...4, using: &rng) { try Change(&rng).run(on: database) }
            try database.run("INSERT OR REPLACE INTO t VALUES (1000, ?)", .number(i))
            try database.execute("COMMIT")
            states.append(try dump(database))
        }
        disk.watch(nil)
        var losses = Losses()
        for (moment, acknowledged) in moments.all {
            let image = moment.afterPowerLoss(&rng)
            losses.images += 1
            if let log = image.files["state.sqlite-wal"], log.count > 32 { losses.logged += 1 }
            do {
                let again = try open(image)
                guard try again.rows("PRAGMA integrity_check", read: { $0.text(0) }) == ["ok"] else {
                    losses.damaged += 1
                    continue
                }
                let found = try dump(again)
                if !states[acknowledged...min(acknowledged + 1, 12)].contains(found) { losses.lost += 1 }
            } catch {
                losses.damaged += 1
            }
        }
        return losses
    }

    /// Without a write-ahead log a commit is the journal's end, whose name only `EXTRA` makes gone for good.
    @Test(arguments: [("WAL", "FULL"), ("DELETE", "EXTRA")])
    func `what SQLite committed with full syncs survives any power loss, at any call`(
        mode: String, synchronous: String
    ) throws {
        var (images, logged) = (0, 0)
        for seed in UInt64(1)...6 {
            let losses = try Self.losses(seed: seed, mode: mode, synchronous: synchronous)
            #expect(losses.lost == 0 && losses.damaged == 0, "seed \(seed): \(losses)")
            images += losses.images
            logged += losses.logged
        }
        #expect(images > 1000)
        #expect(mode == "WAL" ? logged > 500 : logged == 0)
    }

    @Test(arguments: ["WAL", "DELETE"])
    func `without syncs the same power losses lose commits and damage the file`(mode: String) throws {
        var (lost, damaged) = (0, 0)
        for seed in UInt64(1)...6 {
            let losses = try Self.losses(seed: seed, mode: mode, synchronous: "OFF")
            lost += losses.lost
            damaged += losses.damaged
        }
        #expect(lost > 50 && damaged > 10)
    }
}

/// The disk as it was right before each call, with the number of what was acknowledged then.
final class Moments {
    private(set) var all: [(disk: SimulatedDisk, acknowledged: Int)] = []
    var acknowledged = 0

    init(_ disk: SimulatedDisk) {
        disk.watch { [unowned self] call, _, disk in
            // What only reads leaves nothing new.
            if !["pread", "fstat", "faccessat", "list"].contains(call) { all.append((disk, acknowledged)) }
        }
    }
}
