import Hashing
package import SQLite

/// The hash that binds a snapshot, by the definition in `docs/format.md` alone.
package enum SnapshotHash {
    /// Gives each snapshot of a state file the hash that its rows must have.
    package static func makeRight(in file: Connection) throws {
        for (id, hash) in try hashes(in: file) {
            try file.run("UPDATE snapshots SET hash = ? WHERE id = ?", .text(hash), .integer(id))
        }
    }

    static func hashes(in file: Connection) throws -> [(id: Int64, hash: String)] {
        try file.rows("SELECT id, \(columns.joined(separator: " || char(10) || ")) FROM snapshots") {
            ($0.integer(0), $0.text(1))
        }
        .map { id, head in
            let inDoubt = try file.rows(
                "SELECT record FROM in_doubt WHERE snapshot = ? ORDER BY n", .integer(id)
            ) { $0.text(0) }
            let free = try file.row(
                "SELECT slots, long_values FROM free_numbers WHERE snapshot = ?", .integer(id)
            ) { [BLAKE2b.hash($0.blob(0)).hex, BLAKE2b.hash($0.blob(1)).hex] }
            let lines = [head] + inDoubt + (free ?? [])
            return (id, BLAKE2b.hash(Array(lines.joined(separator: "\n").utf8)).hex)
        }
    }

    private static let columns = [
        "id", "sequence", "n", "timestamp", "segment", "byte", "outcome_count", "key_count", "slot_count",
        "value_count",
        "root_page", "root_slot", "last_page", "last_value", "root", "chain", "tree", "outcome_sum", "reason",
    ]
}
