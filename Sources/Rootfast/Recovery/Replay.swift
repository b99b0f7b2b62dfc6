import CommitLog
import Hashing
import StateTree
import Threading

/// Reads a store's log from a snapshot, or from its first segment, to its end, verifies it and builds the state it
/// leads to.
///
/// Changes nothing on disk. `open`, read-only opening and `check` are this, and differ in what they do with the
/// result.
struct Replay {
    struct Options {
        /// Verifies the root at every flush, instead of at the log's end alone.
        var verifiesEveryRoot = false
        /// Stops at this record: the log behind it is still being written.
        var lastN: UInt64?
        /// Stops at the end of the last flush that goes no further than this commit.
        var lastSequence: UInt64?
        /// Reads and verifies on a thread of its own what is applied here, and makes memory for it on another.
        var readsAhead: Bool
        /// Told the bytes read so far and in all.
        var progress: ((Int, Int) -> Void)?
    }

    /// What lies behind the last whole flush of a log that was not closed: dropped, but kept aside.
    struct TornTail {
        var offset: Int
        /// Behind its last byte that is not zero.
        var end: Int
        var reason: String
    }

    /// What a log that is whole, but for a torn tail, holds.
    struct Log {
        var manifest: Manifest
        var tip: LogTip
        var segments: [SegmentSummary] = []
        /// Where the flushes of the newest segment begin.
        var firstOffset = 0
        /// Where the flushes not known to be durable begin in the newest segment.
        var unsyncedOffset = 0
        var tornTail: TornTail?
        /// An empty segment that was to be the next when the process died.
        var unusedSegment: UInt64?
        var flushCount = 0
        var recordCount = 0
        var changeCount = 0
        /// The bytes of log that were read.
        var byteCount = 0
    }

    let disk: any Disk
    let machine: StateMachine
    /// Where the state of `machine` stands in the log, behind a segment's first line; `nil` at the beginning.
    let start: LogTip?
    let options: Options
    private var bytesTotal = 0
    private var bytesBefore = 0
    /// The newest flushes whose durability no later `synced` shows, by their last `n` and where they begin.
    private var unsynced: [(lastN: UInt64, offset: Int)] = []

    init(_ disk: any Disk, into machine: StateMachine, from start: LogTip?, _ options: Options) {
        self.disk = disk
        self.machine = machine
        self.start = start
        self.options = options
    }

    /// - Throws: `corrupt` for damage, `noStore` if there is none, `inputOutput`.
    mutating func run() throws(StoreError) -> Log {
        let manifest = try Self.manifest(of: disk)
        let first = start?.segment ?? 1
        let numbers = try Self.segmentNumbers(on: disk).filter { $0 >= first }
        if options.lastSequence == nil {
            try checkPresence(numbers, from: first, newest: manifest.segment)
        }
        let tip = start ?? LogTip(newStore: manifest.store, root: machine.tree.root(), timestamp: 0)
        if options.readsAhead {
            makeRoomAhead()
            // Where every root is verified nothing is put off.
            if !options.verifiesEveryRoot { machine.expectReplay(logBytes: bytesTotal) }
        }
        defer { machine.onRoomDue = nil }
        var log = Log(manifest: manifest, tip: tip)
        for number in first...max(first, manifest.segment) {
            let goesOn = try readSegment(number, into: &log)
            // Votes and decisions behind the last commit that was asked for belong to its state, wherever they are.
            let mayGoOn = options.lastN == nil && numbers.contains(number + 1)
            if !goesOn || isAtEnd(log.tip) && !mayGoOn { break }
        }
        log.unsyncedOffset = unsynced.first?.offset ?? log.tip.offset
        try checkRoot(log.tip)
        if options.lastN == nil, options.lastSequence == nil {
            try checkClosed(log)
            if numbers.contains(manifest.segment + 1) { log.unusedSegment = try checkUnused(after: log.tip) }
        }
        return log
    }

    // MARK: - Files

    static func manifest(of disk: any Disk) throws(StoreError) -> Manifest {
        if let found = try Manifest.reading(disk) { return found }
        guard try isLogVacant(on: disk) else {
            throw .damage("store.json is missing, and there is a log", LogNames.manifest, nil)
        }
        throw .noStore
    }

    /// Whether there is no log, or only what a crash leaves that comes while a store is made: a first segment that holds
    /// no flush never stands without a `store.json` otherwise, unless it goes on from a restored state.
    static func isLogVacant(on disk: any Disk) throws(StoreError) -> Bool {
        let numbers = try segmentNumbers(on: disk)
        guard !numbers.isEmpty else { return true }
        return try StoreError.wrapping { () throws(DiskError) in
            guard numbers == [1], let file = try disk.open(LogNames.segment(1), .read),
                let (header, offset) = try? SegmentHeader.read(from: file), header.n == 0,
                case .end = try SegmentReader(file, from: LogTip(header, offset: offset)).next()
            else { return false }
            return true
        }
    }

    /// Whether the first segment begins with the first record: that of a restored store goes on from a snapshot. `nil` if it
    /// does not say.
    static func logBeginsWithStore(on disk: any Disk) -> Bool? {
        guard let file = try? disk.open(LogNames.segment(1), .read) else { return nil }
        return (try? SegmentHeader.read(from: file)).map { $0.header.n == 0 }
    }

    static func segmentNumbers(on disk: any Disk) throws(StoreError) -> [UInt64] {
        try StoreError.wrapping { () throws(DiskError) in
            try disk.list(LogNames.folder).compactMap { LogNames.segmentNumber($0) }
        }
    }

    /// Whether a log that is not to be read to its end has been read as far as it is to be.
    private func isAtEnd(_ tip: LogTip) -> Bool {
        if let lastN = options.lastN, tip.n >= lastN { return true }
        if let lastSequence = options.lastSequence, tip.seq >= lastSequence { return true }
        return false
    }

    /// Whether a flush lies behind the end that was asked for.
    private func isBeyondEnd(_ tip: LogTip) -> Bool {
        if let lastN = options.lastN, tip.n > lastN { return true }
        if let lastSequence = options.lastSequence, tip.seq > lastSequence { return true }
        return false
    }

    private mutating func checkPresence(
        _ numbers: [UInt64], from first: UInt64, newest: UInt64
    ) throws(StoreError) {
        let present = Set(numbers)
        guard newest >= first else { throw .damage("store.json names no segment", LogNames.manifest, nil) }
        // Walks the files there are, so that an absurd number in store.json costs nothing.
        for (i, number) in numbers.sorted().enumerated() where number != first + UInt64(i) {
            throw .damage("The segment is missing", LogNames.segment(first + UInt64(i)), nil)
        }
        guard present.contains(newest) else {
            throw .damage("The segment is missing", LogNames.segment(first + UInt64(numbers.count)), nil)
        }
        if let last = numbers.max(), last > newest + 1 {
            throw .damage("store.json is older than the log: it names segment \(newest)", LogNames.segment(last), nil)
        }
        for number in first...newest {
            bytesTotal += try StoreError.wrapping { () throws(DiskError) in try open(number).byteCount() }
        }
    }

    /// How a segment is told that is not there any more, though it was in the folder's list.
    static let segmentIsGone = StoreError.Code.inputOutput(call: "open", errno: 2)

    private func open(_ segment: UInt64) throws(DiskError) -> any DiskFile {
        let name = LogNames.segment(segment)
        guard let file = try disk.open(name, .read) else { throw DiskError(call: "open", name: name, errno: 2) }
        return file
    }

    // MARK: - Segments

    /// Answers false if it stopped before a flush that lies beyond the end that was asked for.
    private mutating func readSegment(_ number: UInt64, into log: inout Log) throws(StoreError) -> Bool {
        let name = LogNames.segment(number)
        let file = try StoreError.wrapping { () throws(DiskError) in try open(number) }
        let header = try SegmentHeader.reading(file, name, after: log.tip.seq)
        log.firstOffset = header.offset
        if let start, start.segment == number {
            try start.checkPlace(in: file, name, behind: header)
        } else {
            try checkHeader(header, number, name, log)
            log.tip = header
        }
        let firstSequence = log.tip.seq + 1
        let firstByte = log.tip.offset
        unsynced = []
        var summary = SegmentSummary(number: number, file: name, firstSequence: firstSequence)
        let isNewest = number == log.manifest.segment
        var goesOn = true
        let reader = try flushes(of: file, from: log.tip)
        reading: while true {
            switch try StoreError.wrapping({ () throws(DiskError) in try reader.next() }) {
            case .flush(let flush):
                guard !isBeyondEnd(flush.tip) else {
                    goesOn = false
                    break reading
                }
                try apply(flush, in: name, &log)
                summary.add(flush)
                options.progress?(bytesBefore + flush.tip.offset, bytesTotal)
            case .end:
                break reading
            case .unsound(let offset, let reason):
                throw .damage("A flush is whole and cannot be: \(reason)", name, offset, log.tip.seq)
            case .gap(let gap):
                if isAtEnd(log.tip) { break reading }
                log.tornTail = try judge(gap, file, name, log, isNewest: isNewest)
                break reading
            }
        }
        summary.byteCount = log.tip.offset
        log.byteCount += log.tip.offset - firstByte
        summary.lastSequence = log.tip.seq
        log.segments.append(summary)
        bytesBefore += log.tip.offset
        return goesOn
    }

    /// The flushes of a segment; of one that is worth a thread, read ahead where threads may be used.
    private func flushes(of file: any DiskFile, from tip: LogTip) throws(StoreError) -> any FlushSource {
        let reader = SegmentReader(file, from: tip)
        guard options.readsAhead else { return reader }
        let byteCount = try StoreError.wrapping { () throws(DiskError) in try file.byteCount() }
        return byteCount - tip.offset < Self.readAheadMin ? reader : ReadAhead(reader)
    }

    private static let readAheadMin = 1 << 20

    /// Has the memory for a growing state made on a thread of its own.
    private func makeRoomAhead() {
        let thread = WorkerThread(machine.tree.makeRoomAhead)
        machine.onRoomDue = { thread.wake() }
    }

    /// A segment goes on where the one before it ended: if its header says more, that one lost something.
    private func checkHeader(
        _ header: LogTip, _ number: UInt64, _ name: String, _ log: Log
    ) throws(StoreError) {
        guard header.store == log.manifest.store, header.segment == number else {
            throw .damage(
                "This is segment \(header.segment) of store \(header.store), not \(number) of \(log.manifest.store)",
                name, 0, log.tip.seq)
        }
        if number > 1, header.n > log.tip.n {
            throw .damage(
                "Records \(log.tip.n + 1) to \(header.n) are missing at the end of the segment",
                LogNames.segment(number - 1), log.tip.offset, log.tip.seq)
        }
        let goesOn =
            header.n == log.tip.n && header.seq == log.tip.seq && header.root == log.tip.root
            && header.chain == log.tip.chain && header.timestamp >= log.tip.timestamp
        guard goesOn else {
            throw .damage("The segment does not go on where the one before it ended", name, 0, log.tip.seq)
        }
    }

    private mutating func apply(
        _ flush: SegmentReader.Flush, in name: String, _ log: inout Log
    ) throws(StoreError) {
        let tip = flush.tip
        if let fault = try StoreError.wrapping({ () throws(PageError) in try machine.replay(flush.records) }) {
            throw .damage("A flush is whole and cannot be: \(fault)", name, flush.offset, log.tip.seq)
        }
        if options.verifiesEveryRoot, try settledRoot() != tip.root {
            throw .damage("The root does not match the state", name, flush.offset, log.tip.seq)
        }
        unsynced.removeAll { $0.lastN <= flush.end.synced }
        unsynced.append((tip.n, flush.offset))
        log.tip = tip
        log.flushCount += 1
        log.recordCount += flush.records.records.count
        log.changeCount += flush.records.changes.count
    }

    // MARK: - The end

    /// A gap is a torn tail unless something shows that what is missing had been durable.
    private func judge(
        _ gap: SegmentReader.Gap, _ file: any DiskFile, _ name: String, _ log: Log, isNewest: Bool
    ) throws(StoreError) -> TornTail? {
        guard isNewest else {
            throw .damage("The segment is damaged before its end: \(gap.reason)", name, gap.offset, log.tip.seq)
        }
        let scan = try StoreError.wrapping { () throws(DiskError) in
            try GapScan.run(file, from: gap.offset, firstMissing: log.tip.n + 1)
        }
        if let proof = scan.proof {
            throw .damage(
                "The log is damaged: \(gap.reason), and byte \(proof.offset) shows that record \(log.tip.n + 1) was durable",
                name, gap.offset, log.tip.seq)
        }
        return TornTail(offset: gap.offset, end: scan.end, reason: gap.reason)
    }

    private func settledRoot() throws(StoreError) -> Digest {
        try StoreError.wrapping { () throws(PageError) in try machine.settle() }
        return machine.tree.root()
    }

    private func checkRoot(_ tip: LogTip) throws(StoreError) {
        guard try settledRoot() == tip.root else {
            throw .damage(
                "The root at the log's end does not match the state", LogNames.segment(tip.segment), nil, tip.seq)
        }
    }

    /// After a clean close `store.json` says where the log ends.
    private func checkClosed(_ log: Log) throws(StoreError) {
        guard let closed = log.manifest.closed else { return }
        let name = LogNames.segment(log.tip.segment)
        if log.tip.n < closed.n {
            throw .damage(
                "The log ends at record \(log.tip.n), and store.json says it was closed at \(closed.n)", name,
                log.tip.offset, log.tip.seq)
        }
        guard log.tip.n == closed.n, log.tip.chain == closed.chain else {
            throw .damage(
                "The log is another one than store.json says was closed", LogNames.manifest, nil, log.tip.seq)
        }
    }

    /// A segment behind the newest is harmless only if no flush was ever written to it.
    private func checkUnused(after tip: LogTip) throws(StoreError) -> UInt64 {
        let number = tip.segment + 1
        let name = LogNames.segment(number)
        let file = try StoreError.wrapping { () throws(DiskError) in try open(number) }
        if let (header, offset) = try? SegmentHeader.read(from: file), header.segment == number, header.n == tip.n {
            let reader = SegmentReader(file, from: LogTip(header, offset: offset))
            if case .end = try StoreError.wrapping({ () throws(DiskError) in try reader.next() }) { return number }
        }
        throw .damage("store.json is older than the log: it names segment \(tip.segment)", name, nil, tip.seq)
    }
}
