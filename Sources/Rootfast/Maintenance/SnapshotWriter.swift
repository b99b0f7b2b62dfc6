import CommitLog
import Hashing
import SQLite
import StateTree

/// A snapshot on its way into the state file, step by step: the barrier, the pages, the row, and reading back.
///
/// Until it is done nothing older is given up, and whatever interrupts it leaves the snapshots before as they were. Pages
/// go into the file in small transactions, so that neither SQLite's log nor what has to be synced at once grows with
/// them; the transaction with the row makes them a snapshot. What an interrupted one left behind has ids beyond the last
/// snapshot's, and is removed before the next.
final class SnapshotWriter {
    private enum Stage {
        case barrier, collecting, writing(Int), writingValues(Int), finishing, verifying(Int), verifyingValues(Int)
        case settling, done
    }

    /// What a step does at most.
    private static let pagesPerStep = 512
    private static let valueBytesPerStep = 4 << 20

    private let file: StateFile
    private let disk: any Disk
    private let reason: SnapshotReason
    private let now: @Sendable () -> UInt64
    private let barrier: Barrier
    private let previous: Previous
    private var stage = Stage.barrier
    private var basis: SnapshotBasis?
    private(set) var report: SnapshotReport
    /// Once done: what it wrote.
    private(set) var row: SnapshotRow?

    /// What a snapshot goes on from.
    struct Previous {
        /// The last id of a snapshot, a page and a long value in the file.
        var id: UInt64 = 0
        var page: UInt64 = 0
        var longValue: UInt64 = 0
        var outcomeCount: UInt64 = 0
        var outcomeSum = OutcomeSum()

        init() {}

        init(_ row: SnapshotRow) {
            id = row.id
            page = row.tree.lastPage
            longValue = row.tree.lastLongValue
            outcomeCount = row.outcomeCount
            outcomeSum = OutcomeSum(row.outcomeSum)
        }
    }

    /// How it gets at the state, and how it tells what came of it.
    struct Barrier {
        var take: () throws(StoreError) -> SnapshotBasis
        var settle: (SnapshotBasis) -> Void
        var giveUp: (SnapshotBasis) -> Void
    }

    init(
        _ file: StateFile, _ disk: any Disk, after previous: Previous, _ reason: SnapshotReason,
        now: @escaping @Sendable () -> UInt64, _ barrier: Barrier
    ) {
        self.file = file
        self.disk = disk
        self.previous = previous
        self.reason = reason
        self.now = now
        self.barrier = barrier
        report = SnapshotReport(id: previous.id + 1, reason: reason, startedAt: now())
    }

    /// The generation of the tree that it shows.
    private(set) var generation: Int64 = 0

    /// Does a part; false once all is done.
    func step() throws(StoreError) -> Bool {
        do throws(StoreError) {
            try advance()
        } catch {
            abandon()
            throw error
        }
        if case .done = stage { return false }
        return true
    }

    /// Leaves everything as it was before the snapshot, but for the segment that was begun.
    func abandon() {
        if case .done = stage { return }
        if let basis {
            basis.unstored.giveUp()
            barrier.giveUp(basis)
        }
        basis = nil
        stage = .done
    }

    private func advance() throws(StoreError) {
        switch stage {
        case .barrier:
            basis = try barrier.take()
            report.barrierDuration = basis!.barrierDuration
            report.sequence = basis!.tip.seq
            generation = basis!.generation
            stage = .collecting
        case .collecting:
            _ = basis!.unstored.collect()
            try prepareFile()
            stage = .writing(0)
        case .writing(let start): try writePages(from: start)
        case .writingValues(let start): try writeValues(from: start)
        case .finishing:
            try finish()
            stage = .verifying(0)
        case .verifying(let start): try verifyPages(from: start)
        case .verifyingValues(let start): try verifyValues(from: start)
        case .settling: try settle()
        case .done: break
        }
    }

    // MARK: - Writing

    private func prepareFile() throws(StoreError) {
        try StateFile.make(on: disk, store: file.store)
        try StoreError.wrapping { () throws(SQLiteError) in
            try file.discardSnapshots(after: previous)
        }
    }

    private func writePages(from start: Int) throws(StoreError) {
        let unstored = basis!.unstored
        let end = min(unstored.pageCount, start + Self.pagesPerStep)
        try writing(isDurable: false) { connection throws(SQLiteError) in
            for i in start..<end {
                let (id, bytes) = unstored.page(i)
                report.byteCount += bytes.count
                try connection.run("INSERT INTO pages VALUES (?,?)", .number(id), .blob(bytes))
            }
        }
        stage = end == unstored.pageCount ? .writingValues(0) : .writing(end)
    }

    private func writeValues(from start: Int) throws(StoreError) {
        let unstored = basis!.unstored
        var (next, left) = (start, Self.valueBytesPerStep)
        try writing(isDurable: false) { connection throws(SQLiteError) in
            while next < unstored.longValueCount, left > 0 {
                let (id, bytes) = unstored.longValue(next)
                report.byteCount += bytes.count
                left -= bytes.count
                next += 1
                try connection.run("INSERT INTO long_values VALUES (?,?)", .number(id), .blob(Array(bytes)))
            }
        }
        stage = next == unstored.longValueCount ? .finishing : .writingValues(next)
    }

    /// The rows that make it a snapshot, and the commit.
    private func finish() throws(StoreError) {
        let basis = basis!
        let segments = try sealedSegments(before: basis.tip.segment)
        report.pageCount = basis.unstored.pageCount
        try writing { connection throws(SQLiteError) in
            let sum = try StateFile.addOutcomes(
                basis.outcomes.all, forgettingUpTo: basis.outcomes.forgottenCount, to: previous.outcomeSum, connection)
            for item in basis.unstored.dropped {
                switch item {
                case .page(let id):
                    try connection.run(
                        "INSERT INTO dropped VALUES ('page',?,?)", .number(id), .number(report.id))
                case .longValue(let id):
                    try connection.run(
                        "INSERT INTO dropped VALUES ('value',?,?)", .number(id), .number(report.id))
                }
            }
            for segment in segments { try StateFile.add(segment, connection) }
            let row = SnapshotRow(
                id: report.id, tip: basis.tip, tree: basis.unstored.stored, outcomeCount: basis.outcomes.count,
                outcomeSum: sum.digest, reason: reason, inDoubt: basis.inDoubt, createdAt: now(),
                byteCount: report.byteCount)
            try row.insert(into: connection)
            self.row = row
        }
    }

    /// Runs `body` in a transaction, and brings it into the file proper.
    private func writing(
        isDurable: Bool = true, _ body: (Connection) throws(SQLiteError) -> Void
    ) throws(StoreError) {
        try StoreError.wrapping { () throws(SQLiteError) in
            try file.transaction(isDurable: isDurable, body)
            file.checkpointSoftly()
        }
    }

    /// What the first lines of the segments say of those that were sealed and are not in the catalogue.
    private func sealedSegments(before newest: UInt64) throws(StoreError) -> [CataloguedSegment] {
        let known = try StoreError.wrapping { () throws(SQLiteError) in
            try file.write { connection throws(SQLiteError) in
                Set(try connection.rows("SELECT number FROM segments", read: { $0.number(0) }))
            }
        }
        return try StoreError.wrapping { () throws(DiskError) in
            let numbers = try disk.list(LogNames.folder).compactMap { LogNames.segmentNumber($0) }
            var segments: [CataloguedSegment] = []
            for number in numbers where !known.contains(number) && number < newest {
                guard let file = try disk.open(LogNames.segment(number), .read),
                    let next = try disk.open(LogNames.segment(number + 1), .read),
                    let start = try? SegmentHeader.read(from: file).header,
                    let end = try? SegmentHeader.read(from: next).header
                else { continue }
                segments.append(CataloguedSegment(from: start, to: end, byteCount: try file.byteCount()))
            }
            return segments
        }
    }

    // MARK: - Reading back

    private func verifyPages(from start: Int) throws(StoreError) {
        let unstored = basis!.unstored
        let end = min(unstored.pageCount, start + Self.pagesPerStep)
        try StoreError.wrapping { () throws(PageError) in
            for i in start..<end { try unstored.verifyPage(i, file.readers.page(previous.page + UInt64(i) + 1)) }
        }
        stage = end == unstored.pageCount ? .verifyingValues(0) : .verifying(end)
    }

    private func verifyValues(from start: Int) throws(StoreError) {
        let unstored = basis!.unstored
        var (next, left) = (start, Self.valueBytesPerStep)
        try StoreError.wrapping { () throws(PageError) in
            while next < unstored.longValueCount, left > 0 {
                let bytes = try file.readers.longValue(previous.longValue + UInt64(next) + 1)
                try unstored.verifyLongValue(next, bytes)
                left -= bytes.count
                next += 1
            }
        }
        stage = next == unstored.longValueCount ? .settling : .verifyingValues(next)
    }

    /// Notes that the snapshot is whole, and lets go of what it made unnecessary.
    private func settle() throws(StoreError) {
        let read = try StoreError.wrapping { () throws(SQLiteError) in
            try file.readers.read { connection throws(SQLiteError) in try file.snapshot(report.id, connection) }
        }
        // It may have been deprecated by hand since it was written.
        guard case .success(let copy) = read, let row, copy.isSame(as: row) else {
            throw .damage("Snapshot \(report.id) was not read back as it was written", StateFile.name, nil)
        }
        try writing { connection throws(SQLiteError) in
            try connection.run("UPDATE snapshots SET is_verified = 1 WHERE id = ?", .number(report.id))
            // Not before: had it been given up, the snapshot before would miss them.
            try StateFile.removeOutcomes(upTo: basis!.outcomes.forgottenCount, connection)
        }
        file.checkpoint()
        basis!.unstored.noteStored()
        barrier.settle(basis!)
        report.finishedAt = now()
        self.row!.isVerified = true
        basis = nil
        stage = .done
    }
}

/// What came of a snapshot.
public struct SnapshotReport: Hashable, Sendable {
    public var id: UInt64
    public var reason: SnapshotReason
    /// The last commit in it.
    public var sequence: UInt64 = 0
    /// The pages that it added to the state file, and their bytes with those of long values.
    public var pageCount = 0
    public var byteCount = 0
    /// How long writers were held up, in microseconds.
    public var barrierDuration: UInt64 = 0
    /// In microseconds since 1970.
    public var startedAt: UInt64
    public var finishedAt: UInt64 = 0

    init(id: UInt64, reason: SnapshotReason, startedAt: UInt64) {
        self.id = id
        self.reason = reason
        self.startedAt = startedAt
    }
}
