import CommitLog
import SQLite
import SeededRandom
import SpecSupport

/// The tables of a state file, seen from outside.
struct StateTables {
    private let file: Connection

    /// `nil` if there is no such file, or no table in it.
    init?(_ disk: SimulatedDisk, _ access: Connection.Access = .readWrite) throws {
        guard disk.files["state.sqlite"] != nil else { return nil }
        let location = disk.database("state.sqlite")
        file = try Connection(path: location.path, vfs: location.vfs, access)
        guard try count("SELECT count(*) FROM sqlite_schema") > 0 else { return nil }
    }

    func run(_ sql: String, _ number: UInt64) throws { try file.run(sql, .number(number)) }

    func count(_ sql: String) throws -> Int { Int(try file.row(sql, read: { $0.integer(0) }) ?? 0) }

    // MARK: - Snapshots

    /// The newest first.
    func verifiedSnapshots() throws -> [UInt64] {
        try file.rows("SELECT id FROM snapshots WHERE is_verified ORDER BY id DESC") { $0.number(0) }
    }

    func rootPage(of snapshot: UInt64) throws -> UInt64 {
        try file.row("SELECT root_page FROM snapshots WHERE id = ?", .number(snapshot)) { $0.number(0) } ?? 0
    }

    /// Whether no other snapshot has the same root page.
    func hasRootPageOfItsOwn(_ snapshot: UInt64) throws -> Bool {
        let page = try rootPage(of: snapshot)
        return try page > 0 && count("SELECT count(*) FROM snapshots WHERE root_page = \(page)") == 1
    }

    /// The pages that a snapshot added, but for its root page.
    func pages(of snapshot: UInt64) throws -> [UInt64] {
        try file.rows(
            """
            SELECT id FROM pages AS p WHERE id <= (SELECT last_page FROM snapshots WHERE id = ?1) \
            AND id > (SELECT max(last_page) FROM snapshots WHERE id < ?1) \
            AND id <> (SELECT root_page FROM snapshots WHERE id = ?1)
            """, .number(snapshot)
        ) { $0.number(0) }
    }

    /// Flips a bit of a page.
    func flip(_ page: UInt64, _ random: inout SeededGenerator) throws {
        var image = try file.row("SELECT image FROM pages WHERE id = ?", .number(page)) { $0.blob(0) }!
        image[Int.random(in: 0..<image.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        try file.run("UPDATE pages SET image = ? WHERE id = ?", .blob(image), .number(page))
    }

    // MARK: - What is left over

    func reclaimedSegments() throws -> [UInt64] {
        try file.rows("SELECT number FROM segments WHERE reclaimed_at IS NOT NULL") { $0.number(0) }
    }

    func pagesBeyondSnapshots() throws -> Int {
        try count("SELECT count(*) FROM pages WHERE id > (SELECT ifnull(max(last_page), 0) FROM snapshots)")
    }

    /// The kinds of rows that belong to nothing.
    func orphans() throws -> [String] {
        var orphans = try Self.orphans.filter { try count("SELECT count(*) FROM " + $0.rows) > 0 }.map(\.what)
        if try pagesBeyondSnapshots() > 0 { orphans.append("pages beyond the newest snapshot") }
        return orphans
    }

    private static let orphans: [(what: String, rows: String)] = [
        ("records in doubt of no snapshot", "in_doubt WHERE snapshot NOT IN (SELECT id FROM snapshots)"),
        ("free numbers of no snapshot", "free_numbers WHERE snapshot NOT IN (SELECT id FROM snapshots)"),
        ("outcomes beyond the newest snapshot", "outcomes WHERE number > (SELECT max(outcome_count) FROM snapshots)"),
        (
            "pages that are noted as dropped and gone",
            "dropped WHERE kind = 'page' AND id NOT IN (SELECT id FROM pages)"
        ),
        (
            "values that are noted as dropped and gone",
            "dropped WHERE kind = 'value' AND id NOT IN (SELECT id FROM long_values)"
        ),
        ("pages that no snapshot needs", unneeded("page", "last_page")),
        ("values that no snapshot needs", unneeded("value", "last_value")),
    ]

    /// An item is needed by the snapshots that were taken when it had been added and before it was dropped.
    private static func unneeded(_ kind: String, _ last: String) -> String {
        """
        dropped AS d WHERE kind = '\(kind)' AND NOT EXISTS (SELECT 1 FROM snapshots AS s \
        WHERE s.\(last) >= d.id AND s.id < d.snapshot)
        """
    }
}
