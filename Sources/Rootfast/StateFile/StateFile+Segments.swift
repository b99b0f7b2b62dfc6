import CommitLog
import SQLite

/// A sealed segment of the log, as the catalogue has it.
struct CataloguedSegment: Hashable, Sendable {
    var number: UInt64
    var firstN: UInt64
    var lastN: UInt64
    var firstSequence: UInt64
    var lastSequence: UInt64
    var firstTimestamp: UInt64
    var lastTimestamp: UInt64
    var byteCount: Int
    var deprecatedAt: UInt64?
    var mark = HandMark.none
    var reclaimedAt: UInt64?

    /// What two segments' first lines tell of the first of them.
    init(from start: SegmentHeader, to end: SegmentHeader, byteCount: Int) {
        number = start.segment
        firstN = start.n + 1
        lastN = end.n
        firstSequence = start.seq + 1
        lastSequence = end.seq
        firstTimestamp = start.timestamp
        lastTimestamp = end.timestamp
        self.byteCount = byteCount
    }

    fileprivate init(_ row: Row) {
        number = row.number(0)
        firstN = row.number(1)
        lastN = row.number(2)
        firstSequence = row.number(3)
        lastSequence = row.number(4)
        firstTimestamp = row.number(5)
        lastTimestamp = row.number(6)
        byteCount = row.byteCount(7)
        deprecatedAt = row.isNull(8) ? nil : row.number(8)
        mark = HandMark(rawValue: row.integer(9)) ?? .none
        reclaimedAt = row.isNull(10) ? nil : row.number(10)
    }
}

extension StateFile {
    /// All segments of the catalogue, the oldest first.
    func segments(_ connection: Connection) throws(SQLiteError) -> [CataloguedSegment] {
        try connection.rows(
            """
            SELECT number, first_n, last_n, first_sequence, last_sequence, first_timestamp, last_timestamp, bytes, \
            deprecated_at, is_kept, reclaimed_at FROM segments ORDER BY number
            """
        ) { CataloguedSegment($0) }
    }

    static func add(_ segment: CataloguedSegment, _ connection: Connection) throws(SQLiteError) {
        try connection.run(
            "INSERT OR IGNORE INTO segments VALUES (?,?,?,?,?,?,?,?,?,?,?)", .number(segment.number),
            .number(segment.firstN), .number(segment.lastN), .number(segment.firstSequence),
            .number(segment.lastSequence), .number(segment.firstTimestamp), .number(segment.lastTimestamp),
            .number(segment.byteCount), .number(segment.deprecatedAt), .number(0),
            .number(segment.reclaimedAt))
    }

    /// Deprecates a segment, or with `nil` takes it back; durably.
    func setDeprecated(segment number: UInt64, at time: UInt64?, _ mark: HandMark) throws(SQLiteError) {
        try transaction { connection throws(SQLiteError) in
            try connection.run(
                "UPDATE segments SET deprecated_at = ?, is_kept = ? WHERE number = ?", .number(time),
                .integer(mark.rawValue), .number(number))
        }
    }

    /// Notes, durably, that these segments' files are about to be removed.
    func setReclaimed(segments numbers: [UInt64], at time: UInt64) throws(SQLiteError) {
        try transaction { connection throws(SQLiteError) in
            for number in numbers {
                try connection.run(
                    "UPDATE segments SET reclaimed_at = ? WHERE number = ?", .number(time), .number(number))
            }
        }
    }
}
