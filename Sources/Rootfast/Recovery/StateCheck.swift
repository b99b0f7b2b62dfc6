import CommitLog
import Hashing
import SQLite
import StateTree

/// Verifies a store's state file: SQLite's own structures, every snapshot with all its pages and long values, the
/// outcomes, and that the catalogue, the snapshots and the log agree.
struct StateCheck {
    let disk: any Disk
    let file: StateFile
    let options: StateMachine.Options
    /// Told the pages verified so far and about how many there are.
    let progress: ((Int, Int) -> Void)?

    /// What is sound, by number.
    struct Result {
        var snapshots: [CheckedSnapshot] = []
        var pageCount = 0
        var longValueCount = 0
        var outcomeCount = 0
        /// Files of segments that were reclaimed and are still there.
        var leftOver: [String] = []
    }

    func run() throws(StoreError) -> Result {
        var result = Result()
        try checkFile()
        let rows = try rows()
        var verified = VerifiedItems()
        let total = try count("pages")
        var log: SegmentReader?
        for row in rows {
            try checkPlace(of: row, &log)
            let before = verified.pageCount
            try checkPages(of: row, &verified, total)
            result.snapshots.append(
                CheckedSnapshot(
                    id: row.id, sequence: row.tip.seq, root: row.tip.root, newPageCount: verified.pageCount - before))
        }
        // An unverified one may be given up, and what it forgets stays until then.
        if let newest = rows.last(where: \.isVerified) ?? rows.last {
            result.outcomeCount = try checkOutcomes(of: newest)
        }
        result.leftOver = try checkCatalogue()
        (result.pageCount, result.longValueCount) = (verified.pageCount, verified.longValueCount)
        return result
    }

    private func read<R>(_ body: (Connection) throws(SQLiteError) -> R) throws(StoreError) -> R {
        try StoreError.wrapping { () throws(SQLiteError) in try file.readers.read(body) }
    }

    private func count(_ table: String) throws(StoreError) -> Int {
        try read { connection throws(SQLiteError) in
            Int(try connection.row("SELECT count(*) FROM \(table)", read: { $0.integer(0) }) ?? 0)
        }
    }

    private func checkFile() throws(StoreError) {
        let faults = try read { connection throws(SQLiteError) in
            if let fault = try StateFile.fault(in: connection, of: file.store) { return [fault] }
            return try connection.rows("PRAGMA integrity_check(1)") { $0.text(0) }.filter { $0 != "ok" }
        }
        if let fault = faults.first { throw .damage("The state file is damaged: \(fault)", StateFile.name, nil) }
    }

    // MARK: - Snapshots

    /// All snapshots, the oldest first.
    private func rows() throws(StoreError) -> [SnapshotRow] {
        let read = try read { connection throws(SQLiteError) in
            var read: [Swift.Result<SnapshotRow, SnapshotRow.Fault>] = []
            for id in try file.snapshotIDs(connection).reversed() { read.append(try file.snapshot(id, connection)) }
            return read
        }
        var rows: [SnapshotRow] = []
        for result in read {
            switch result {
            case .success(let row): rows.append(row)
            case .failure(let fault): throw .damage("There is a damaged \(fault)", StateFile.name, nil)
            }
        }
        return rows
    }

    /// The log, if it is there, stood where a snapshot says, and recorded what it says. `log` is where it was read for
    /// the snapshot before.
    private func checkPlace(of row: SnapshotRow, _ log: inout SegmentReader?) throws(StoreError) {
        // Read anew: a writer may have gone on since the log was read.
        try row.checkIsKnown(to: Replay.manifest(of: disk))
        let name = LogNames.segment(row.tip.segment)
        guard let segment = try StoreError.wrapping({ () throws(DiskError) in try disk.open(name, .read) }) else {
            return
        }
        let header = try SegmentHeader.reading(segment, name, after: row.tip.seq)
        try row.tip.checkPlace(in: segment, name, behind: header)
        let reader = log.flatMap { $0.tip.segment == header.segment ? $0 : nil } ?? SegmentReader(segment, from: header)
        log = reader
        try StoreError.wrapping { () throws(DiskError) in
            while reader.tip.offset < row.tip.offset, case .flush = try reader.next() {}
        }
        guard reader.tip.hasRecorded(row.tip) else {
            throw .damage("The log did not record what snapshot \(row.id) says", name, row.tip.offset, row.tip.seq)
        }
    }

    private func checkPages(
        of row: SnapshotRow, _ verified: inout VerifiedItems, _ total: Int
    ) throws(StoreError) {
        let machine = try StateMachine(row, in: file, options)
        var done = verified.pageCount
        do throws(PageError) {
            try machine.tree.freeze(hashing: true).verifyStored(&verified) {
                done += 1
                if done % 1024 == 0 { progress?(done, total) }
            }
        } catch {
            var failure = StoreError(error)
            failure.message = "Snapshot \(row.id): \(failure.message)"
            failure.place?.sequence = row.tip.seq
            throw failure
        }
    }

    /// Outcomes add up to what the snapshot says; and their numbers, by which they are found, run up to its last.
    private func checkOutcomes(of row: SnapshotRow) throws(StoreError) -> Int {
        let (sum, areNumbered) = try read { connection throws(SQLiteError) in
            let sum = try file.sumOfOutcomes(through: row.outcomeCount, connection)
            return (sum, try file.areNumbered(through: row.outcomeCount, connection))
        }
        guard sum.digest == row.outcomeSum, areNumbered else {
            throw .damage("The outcomes are not what snapshot \(row.id) says of them", StateFile.name, nil, row.tip.seq)
        }
        return try count("outcomes")
    }

    // MARK: - The catalogue

    /// A segment of the catalogue that was not reclaimed is there as it was sealed. Returns the files of those that were
    /// reclaimed and are there.
    private func checkCatalogue() throws(StoreError) -> [String] {
        let segments = try read { connection throws(SQLiteError) in try file.segments(connection) }
        var leftOver: [String] = []
        for segment in segments {
            let name = LogNames.segment(segment.number)
            let found = try StoreError.wrapping { () throws(DiskError) in try disk.open(name, .read) }
            guard segment.reclaimedAt == nil else {
                if found != nil { leftOver.append(name) }
                continue
            }
            guard let found else {
                if try wasReclaimedSince(segment.number) { continue }
                throw .damage("The segment is missing, and was not reclaimed", name, nil, segment.firstSequence)
            }
            let byteCount = try StoreError.wrapping { () throws(DiskError) in try found.byteCount() }
            guard byteCount == segment.byteCount else {
                throw .damage(
                    "The segment has \(byteCount) bytes, and had \(segment.byteCount) when it was sealed", name,
                    min(byteCount, segment.byteCount), segment.firstSequence)
            }
        }
        return leftOver
    }

    /// Whether a segment that is missing was reclaimed since: what was read of the catalogue is as it was when the check began.
    private func wasReclaimedSince(_ number: UInt64) throws(StoreError) -> Bool {
        let now = StateFile(on: disk, store: file.store, StateFile.isAlone(on: disk) ? .immutable : .readOnly)
        defer { now.close() }
        let segments = try StoreError.wrapping { () throws(SQLiteError) in
            try now.readers.read { connection throws(SQLiteError) in try now.segments(connection) }
        }
        return segments.contains { $0.number == number && $0.reclaimedAt != nil }
    }
}

/// A snapshot that `check` found sound.
public struct CheckedSnapshot: Hashable, Sendable {
    public var id: UInt64
    public var sequence: UInt64
    public var root: Digest
    /// The pages that no older snapshot has.
    public var newPageCount: Int
}
