import CommitLog
import Hashing
import SQLite
import StateTree

/// A row of `snapshots`, with what belongs to it in other tables.
struct SnapshotRow: Hashable, Sendable {
    var id: UInt64
    /// Where the log stands: at the end of a flush, or behind the first line of a segment.
    var tip: LogTip
    var tree: StoredTree
    var outcomeCount: UInt64
    var outcomeSum: Digest
    var reason: SnapshotReason
    /// The PREPARE records of the transactions in doubt, in the order of their votes.
    var inDoubt: [InDoubtRecord]
    var createdAt: UInt64
    /// Bytes of the pages and long values that it added.
    var byteCount = 0
    var isVerified = false
    var deprecatedAt: UInt64?

    struct InDoubtRecord: Hashable, Sendable {
        var n: UInt64
        var record: String
    }

    /// Binds the snapshot. BLAKE2b-256 over these, one a line, with a newline between: id, sequence, n, timestamp, segment,
    /// byte, outcome_count, key_count, slot_count, value_count, root_page, root_slot, last_page, last_value, root, chain, tree,
    /// outcome_sum, reason, its records in doubt by `n`, and the hashes of its two lists of free numbers.
    var hash: Digest {
        let numbers: [UInt64] = [id, tip.seq, tip.n, tip.timestamp, tip.segment, UInt64(tip.offset), outcomeCount]
        let counts: [Int] = [tree.count, tree.slotCount, tree.valueCount]
        let ids: [UInt64] = [tree.rootPage, UInt64(tree.rootSlot), tree.lastPage, tree.lastLongValue]
        let digests: [Digest] = [tip.root, tip.chain, tree.digest, outcomeSum]
        var lines: [String] = numbers.map { $0.description }
        lines += counts.map { $0.description }
        lines += ids.map { $0.description }
        lines += digests.map { $0.description }
        lines.append(reason.rawValue)
        lines += inDoubt.map(\.record)
        lines.append(BLAKE2b.hash(Self.bytes(of: tree.freeSlots)).hex)
        lines.append(BLAKE2b.hash(Self.bytes(of: tree.freeValues)).hex)
        return BLAKE2b.hash(Array(lines.joined(separator: "\n").utf8))
    }

    /// Whether both say the same but for what is decided of the snapshot by hand.
    func isSame(as other: SnapshotRow) -> Bool {
        var copy = self
        copy.deprecatedAt = other.deprecatedAt
        return copy == other
    }

    static func bytes(of numbers: [UInt32]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * 4)
        for number in numbers { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
        return bytes
    }

    static func numbers(of bytes: [UInt8]) -> [UInt32] {
        bytes.withUnsafeBytes { bytes in
            (0..<(bytes.count / 4)).map {
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))
            }
        }
    }
}

/// Why a snapshot was taken.
public enum SnapshotReason: String, Hashable, Sendable {
    /// Asked for by hand.
    case hand
    /// By a trigger of `Options.compaction`.
    case compaction
    /// As pages that had changed took too much memory. Replaced by the next one.
    case memory
    /// By `close`, so that the next opening is fast. Replaced by the next one.
    case close
}

// MARK: - In the file

extension SnapshotRow {
    private static let columns = """
        id, sequence, n, timestamp, root, chain, segment, key_count, tree, root_page, root_slot, slot_count, value_count, \
        last_page, last_value, outcome_count, outcome_sum, reason, hash, created_at, is_verified, deprecated_at, \
        is_kept, byte, bytes
        """

    func insert(into connection: Connection) throws(SQLiteError) {
        try connection.run(
            "INSERT INTO snapshots (\(Self.columns)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            .number(id), .number(tip.seq), .number(tip.n), .number(tip.timestamp), .text("\(tip.root)"),
            .text("\(tip.chain)"), .number(tip.segment), .number(tree.count), .text("\(tree.digest)"),
            .number(tree.rootPage), .number(tree.rootSlot), .number(tree.slotCount), .number(tree.valueCount),
            .number(tree.lastPage), .number(tree.lastLongValue), .number(outcomeCount), .text("\(outcomeSum)"),
            .text(reason.rawValue), .text("\(hash)"), .number(createdAt), .number(isVerified ? 1 : 0),
            .number(deprecatedAt), .number(0), .number(tip.offset), .number(byteCount))
        for item in inDoubt {
            try connection.run(
                "INSERT INTO in_doubt VALUES (?,?,?)", .number(id), .number(item.n), .text(item.record))
        }
        try connection.run(
            "INSERT INTO free_numbers VALUES (?,?,?)", .number(id), .blob(Self.bytes(of: tree.freeSlots)),
            .blob(Self.bytes(of: tree.freeValues)))
    }

    /// Why a row cannot be believed.
    struct Fault: Error {
        var id: UInt64
        var reason: String
        /// The file that is not as it should be.
        var file = StateFile.name
        /// The call that failed, where nothing is known of the snapshot.
        var failure: StoreError?
    }

    /// A row with all that belongs to it, its hash verified.
    static func read(_ id: UInt64, of store: StoreID, from connection: Connection) throws(SQLiteError) -> Result<
        SnapshotRow, Fault
    > {
        guard let (head, hash) = try head(id, store, connection) else {
            return .failure(Fault(id: id, reason: "its row cannot be read"))
        }
        var row = head
        row.inDoubt = try connection.rows(
            "SELECT n, record FROM in_doubt WHERE snapshot = ? ORDER BY n", .number(id)
        ) { InDoubtRecord(n: $0.number(0), record: $0.text(1)) }
        let free = try connection.row(
            "SELECT slots, long_values FROM free_numbers WHERE snapshot = ?", .number(id)
        ) { (numbers(of: $0.blob(0)), numbers(of: $0.blob(1))) }
        guard let free else { return .failure(Fault(id: id, reason: "its free numbers are missing")) }
        (row.tree.freeSlots, row.tree.freeValues) = free
        guard "\(row.hash)" == hash else { return .failure(Fault(id: id, reason: "its hash does not match")) }
        guard row.tree.isSound else { return .failure(Fault(id: id, reason: "its page numbers cannot be")) }
        guard row.hasPossibleNumbers else { return .failure(Fault(id: id, reason: "its numbers cannot be")) }
        guard row.tree.root == row.tip.root else { return .failure(Fault(id: id, reason: "its root does not match")) }
        return .success(row)
    }

    /// Whether its numbers are within the log's bounds, and so far within that others can follow.
    private var hasPossibleNumbers: Bool {
        let numbers = [id, tip.n, tip.seq, tip.segment, UInt64(tip.offset), outcomeCount]
        return numbers.allSatisfy { $0 < StoreNumbers.end } && tip.timestamp < RecordLimits.timestampEnd
    }

    /// What stands in the row itself, and the hash.
    private static func head(
        _ id: UInt64, _ store: StoreID, _ connection: Connection
    ) throws(SQLiteError) -> (SnapshotRow, String)? {
        let found = try connection.row(
            "SELECT \(columns) FROM snapshots WHERE id = ?", .number(id)
        ) { row -> (SnapshotRow, String)? in
            guard let root = Digest(hex: row.text(4)), let chain = Digest(hex: row.text(5)),
                let tree = Digest(hex: row.text(8)), let sum = Digest(hex: row.text(16)),
                let reason = SnapshotReason(rawValue: row.text(17)), let rootSlot = UInt32(exactly: row.integer(10))
            else { return nil }
            let tip = LogTip(
                store: store, segment: row.number(6), offset: Int(row.number(23)), n: row.number(2), seq: row.number(1),
                root: root,
                chain: chain, timestamp: row.number(3))
            let stored = StoredTree(
                count: Int(row.number(7)), digest: tree, rootPage: row.number(9), rootSlot: rootSlot,
                slotCount: Int(row.number(11)), valueCount: Int(row.number(12)), freeSlots: [], freeValues: [],
                lastPage: row.number(13), lastLongValue: row.number(14))
            let snapshot = SnapshotRow(
                id: row.number(0), tip: tip, tree: stored, outcomeCount: row.number(15), outcomeSum: sum,
                reason: reason, inDoubt: [], createdAt: row.number(19), byteCount: row.byteCount(24),
                isVerified: row.integer(20) != 0,
                deprecatedAt: row.isNull(21) ? nil : row.number(21))
            return (snapshot, row.text(18))
        }
        return found ?? nil
    }
}
