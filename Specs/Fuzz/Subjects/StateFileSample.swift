import CommitLog
import Rootfast
import SQLite
import SpecSupport

/// A store that was closed: two snapshots and some log behind them, a long value, a vote, outcomes, a deleted key.
struct StateFileSample {
    let options: Options
    let files: [String: [UInt8]]
    let model: StoreModel
    let face: StoreFace
    /// Where in the state file anything stands; most of a database's page is unused.
    let places: [Int]
    /// Each column of each table, and the column that a row is found by.
    let columns: [(table: String, key: String, name: String)]

    static let name = "state.sqlite"
    static let shared = try! StateFileSample()

    private init() throws {
        var options = Options()
        (options.maintainsItself, options.attemptsMax, options.snapshotsOnClose) = (false, 1, false)
        (options.segmentBytesMax, options.memoryBytesMax) = (4096, 1 << 20)
        options.compaction = .none
        let scenario = try Scenario(options)
        for action in Self.actions { try expect(scenario.perform(action) == .done, "\(action)") }
        try scenario.store.close()
        (self.options, files, model, face) = (options, scenario.disk.files, scenario.model, scenario.model.face)
        let file = files[Self.name]!
        places = file.indices.filter { $0 < 100 || file[$0 - 8...$0].contains { $0 != 0 } }
        let disk = SimulatedDisk(files: files)
        let location = disk.database(Self.name)
        let database = try Connection(path: location.path, vfs: location.vfs, .readWrite)
        columns = try Self.columns(of: database)
        let hashes = try database.rows("SELECT hash FROM snapshots") { $0.text(0) }
        try expectEqual(SnapshotHash.hashes(in: database).map(\.hash), hashes, "by the definition:")
    }

    private static var actions: [Scenario.Action] {
        func write(_ key: String, _ value: String?, id: String? = nil) -> Scenario.Action {
            .write([Change(key: Array(key.utf8), value: value.map { Array($0.utf8) })], id: id, .sync)
        }
        func vote(_ id: String, _ key: String) -> Scenario.Action {
            .vote(id, [Change(key: Array(key.utf8), value: Array("voted".utf8))])
        }
        let many = (0..<120).map { Change(key: Array("key \($0)".utf8), value: Array("\($0)".utf8)) }
        return [
            write("a", "1", id: "first"), write("long", String(repeating: "x", count: 800)), vote("decided", "b"),
            .decide("decided", commits: true), vote("given up", "c"), .decide("given up", commits: false),
            .write(many, id: nil, .sync), .snapshot, .seal, write("d", "{\"json\":true}", id: "second"),
            vote("open", "e"), write("key 7", nil), .snapshot, write("behind", "the snapshot", id: "last"),
        ]
    }

    private static func columns(of file: Connection) throws -> [(table: String, key: String, name: String)] {
        try file.rows(
            """
            SELECT t.name, CASE t.wr WHEN 1 THEN (SELECT name FROM pragma_table_info(t.name) WHERE pk = 2) \
            ELSE 'rowid' END, c.name FROM pragma_table_list AS t, pragma_table_info(t.name) AS c \
            WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid
            """
        ) { (table: $0.text(0), key: $0.text(1), name: $0.text(2)) }
    }
}
