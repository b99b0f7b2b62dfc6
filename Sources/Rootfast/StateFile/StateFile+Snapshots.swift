import CommitLog
import SQLite
import StateTree

extension StateFile {
    /// The ids of all snapshots, the newest first.
    func snapshotIDs(_ connection: Connection) throws(SQLiteError) -> [UInt64] {
        try connection.rows("SELECT id FROM snapshots ORDER BY id DESC") { $0.number(0) }
    }

    /// A snapshot whose row is whole.
    func snapshot(
        _ id: UInt64, _ connection: Connection
    ) throws(SQLiteError) -> Result<SnapshotRow, SnapshotRow.Fault> {
        try SnapshotRow.read(id, of: store, from: connection)
    }

    /// All snapshots, the oldest first, without their lists of free numbers and unverified.
    func summaries(_ connection: Connection) throws(SQLiteError) -> [SnapshotSummary] {
        try connection.rows(
            """
            SELECT id, sequence, n, timestamp, root, key_count, segment, reason, created_at, is_verified, deprecated_at, \
            is_kept, bytes FROM snapshots ORDER BY id
            """
        ) { SnapshotSummary($0) }
    }

    /// Removes all snapshots that came after one, finished or not, and all that they added: the store goes on from there.
    func discardSnapshots(after last: SnapshotWriter.Previous) throws(SQLiteError) {
        try transaction { connection throws(SQLiteError) in try Self.discardSnapshots(after: last, connection) }
    }

    /// The same where something is wrong with those that came after. They may have forgotten outcomes, or this one failed to:
    /// so it binds those that are left from now on.
    func goOn(from row: SnapshotRow) throws(SQLiteError) -> SnapshotWriter.Previous {
        try transaction { connection throws(SQLiteError) in
            try Self.discardSnapshots(after: .init(row), connection)
            var row = row
            row.outcomeSum = try sumOfOutcomes(through: row.outcomeCount, connection).digest
            try connection.run(
                "UPDATE snapshots SET outcome_sum = ?, hash = ? WHERE id = ?", .text("\(row.outcomeSum)"),
                .text("\(row.hash)"), .number(row.id))
            return .init(row)
        }
    }

    private static func discardSnapshots(
        after last: SnapshotWriter.Previous, _ connection: Connection
    ) throws(SQLiteError) {
        let id = SQLiteValue.number(last.id)
        try connection.run("DELETE FROM snapshots WHERE id > ?", id)
        try connection.run("DELETE FROM in_doubt WHERE snapshot > ?", id)
        try connection.run("DELETE FROM free_numbers WHERE snapshot > ?", id)
        try connection.run("DELETE FROM dropped WHERE snapshot > ?", id)
        try connection.run("DELETE FROM pages WHERE id > ?", .number(last.page))
        try connection.run("DELETE FROM long_values WHERE id > ?", .number(last.longValue))
        try connection.run("DELETE FROM outcomes WHERE number > ?", .number(last.outcomeCount))
    }

    /// Removes a snapshot; its pages are freed step by step by `reclaim`.
    func removeSnapshot(_ id: UInt64) throws(SQLiteError) {
        try transaction { connection throws(SQLiteError) in
            try connection.run("DELETE FROM snapshots WHERE id = ?", .number(id))
            try connection.run("DELETE FROM in_doubt WHERE snapshot = ?", .number(id))
            try connection.run("DELETE FROM free_numbers WHERE snapshot = ?", .number(id))
        }
    }

    /// Deprecates a snapshot, or with `nil` takes it back; durably.
    func setDeprecated(snapshot id: UInt64, at time: UInt64?, _ mark: HandMark) throws(SQLiteError) {
        try transaction { connection throws(SQLiteError) in
            try connection.run(
                "UPDATE snapshots SET deprecated_at = ?, is_kept = ? WHERE id = ?", .number(time),
                .integer(mark.rawValue), .number(id))
        }
    }

    /// Removes pages and long values that no snapshot holds, at most so many; answers whether there are more.
    ///
    /// What was added before a snapshot has an id up to the snapshot's last; so an item is needed by exactly those
    /// snapshots that lie between: not before it was added, and before it was dropped.
    ///
    /// - Parameter newest: only what was dropped up to this snapshot; the rest may be on show in a view.
    func reclaim(countMax: Int, droppedUpTo newest: UInt64) throws(SQLiteError) -> Bool {
        try transaction { connection throws(SQLiteError) in
            let items = try connection.rows(
                """
                SELECT kind, id FROM dropped AS d WHERE snapshot <= ? AND NOT EXISTS (\
                SELECT 1 FROM snapshots AS s WHERE s.id < d.snapshot \
                AND CASE d.kind WHEN 'page' THEN s.last_page ELSE s.last_value END >= d.id) ORDER BY kind, id LIMIT ?
                """, .number(newest), .number(countMax)
            ) { (kind: $0.text(0), id: $0.number(1)) }
            var start = 0
            while start < items.count {
                var end = start + 1
                while end < items.count, items[end].kind == items[start].kind, items[end].id == items[end - 1].id + 1 {
                    end += 1
                }
                try Self.remove(items[start].kind, items[start].id...items[end - 1].id, connection)
                start = end
            }
            return items.count == countMax
        }
    }

    private static func remove(
        _ kind: String, _ ids: ClosedRange<UInt64>, _ connection: Connection
    ) throws(SQLiteError) {
        let table = kind == "page" ? "pages" : "long_values"
        try connection.run(
            "DELETE FROM \(table) WHERE id BETWEEN ? AND ?", .number(ids.lowerBound), .number(ids.upperBound))
        try connection.run(
            "DELETE FROM dropped WHERE kind = ? AND id BETWEEN ? AND ?", .text(kind), .number(ids.lowerBound),
            .number(ids.upperBound))
    }
}

/// What was said by hand of a snapshot or a segment.
enum HandMark: Int64, Hashable, Sendable {
    case none = 0
    case kept = 1
    case deprecated = -1
}

/// What the state file tells of a snapshot at a glance.
struct SnapshotSummary: Hashable, Sendable {
    var id: UInt64
    var sequence: UInt64
    var n: UInt64
    var timestamp: UInt64
    var root: String
    var keyCount: Int
    var segment: UInt64
    var reason: SnapshotReason
    var createdAt: UInt64
    var isVerified: Bool
    var deprecatedAt: UInt64?
    var mark: HandMark
    var byteCount: Int

    init(_ row: Row) {
        id = row.number(0)
        sequence = row.number(1)
        n = row.number(2)
        timestamp = row.number(3)
        root = row.text(4)
        keyCount = Int(row.number(5))
        segment = row.number(6)
        reason = SnapshotReason(rawValue: row.text(7)) ?? .hand
        createdAt = row.number(8)
        isVerified = row.integer(9) != 0
        deprecatedAt = row.isNull(10) ? nil : row.number(10)
        mark = HandMark(rawValue: row.integer(11)) ?? .none
        byteCount = row.byteCount(12)
    }
}
