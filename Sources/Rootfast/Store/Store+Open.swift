package import CommitLog
import Hashing
import StateTree

extension Store {
    /// Opens the store in a folder: replays its log, verifies every record, crc and chain and the root at the end.
    ///
    /// Costs time and memory in proportion to the log and the state. A flush that had not become durable when the
    /// process was killed is dropped, kept aside and told in `recovery`. Damage that acknowledged commits can have
    /// suffered is never repaired: the store does not open.
    ///
    /// - Throws: `noStore`, `locked`, `corrupt` with the place, `noSpace`, `inputOutput`, `invalidArgument`.
    public static func open(
        _ path: String, mode: OpenMode = .readWrite, options: Options = Options()
    ) throws(StoreError) -> Store {
        try options.validate()
        let disk = try FileDisk.opening(path, mode)
        let environment = Environment.system()
        if mode == .readOnly {
            return try openReadOnly(disk, options, environment, isBeingWritten: disk.isLocked())
        }
        return try open(disk, creating: mode == .createIfMissing, options: options, environment: environment)
    }

    /// Opens a store on any disk whose lock, where it has one, is held.
    package static func open(
        _ disk: any Disk, creating: Bool, options: Options, environment: Environment
    ) throws(StoreError) -> Store {
        if creating, try isVacant(disk) { return try create(disk, options, environment) }
        let machine = StateMachine(kernel: environment.kernel, outcomeCountMax: options.outcomeCountMax)
        var replay = Replay(disk, into: machine, .init(readsAhead: environment.usesThreads))
        let log = try replay.run()
        let (copy, writer) = try StoreError.wrapping { () throws(DiskError) in
            let copy = try TailRepair(disk: disk, log: log).run()
            var tip = log.tip
            tip.synced = tip.n
            let options = LogWriter.Options(segmentBytesMax: options.segmentBytesMax)
            return (copy, try LogWriter(disk, at: tip, firstOffset: log.firstOffset, options: options))
        }
        return make(machine, writer, options, environment, RecoveryReport(log, copy: copy))
    }

    private static func openReadOnly(
        _ disk: any Disk, _ options: Options, _ environment: Environment, isBeingWritten: Bool
    ) throws(StoreError) -> Store {
        let machine = StateMachine(kernel: environment.kernel, outcomeCountMax: options.outcomeCountMax)
        let log = try Replay.readBeside(
            disk, into: machine, isBeingWritten: isBeingWritten, .init(readsAhead: environment.usesThreads))
        let committer = Committer(machine: machine, tip: log.tip, writer: nil, environment: environment)
        return Store(
            CommitQueue(committer, environment), options, environment, isReadOnly: true, RecoveryReport(log, copy: nil),
            log.tip.store)
    }

    /// Whether there is neither a store nor the rest of one.
    private static func isVacant(_ disk: any Disk) throws(StoreError) -> Bool {
        try StoreError.wrapping { () throws(DiskError) in
            // `log/next` and a first segment without a `store.json` are what a crash in `create` leaves; a segment
            // that holds a flush never stands without a `store.json`.
            guard try disk.open(LogNames.manifest, .read) == nil else { return false }
            let segments = try disk.list(LogNames.folder).filter { LogNames.segmentNumber($0) != nil }
            guard segments.isEmpty else { return try isUnusedFirst(segments, disk) }
            return true
        }
    }

    private static func isUnusedFirst(_ segments: [String], _ disk: any Disk) throws(DiskError) -> Bool {
        guard segments.count == 1, let file = try disk.open(LogNames.segment(1), .read),
            let (header, offset) = try? SegmentHeader.read(from: file),
            case .end = try SegmentReader(file, from: LogTip(header, offset: offset)).next()
        else { return false }
        return true
    }

    private static func create(
        _ disk: any Disk, _ options: Options, _ environment: Environment
    ) throws(StoreError) -> Store {
        let machine = StateMachine(kernel: environment.kernel, outcomeCountMax: options.outcomeCountMax)
        let id = StoreID(bytes: versionFour(environment.randomBytes()))!
        let first = LogTip(newStore: id, root: machine.tree.root(), timestamp: environment.now())
        let writer = try StoreError.wrapping { () throws(DiskError) in
            let tip = try LogWriter.create(disk, first)
            let options = LogWriter.Options(segmentBytesMax: options.segmentBytesMax)
            return try LogWriter(disk, at: tip, firstOffset: tip.offset, options: options)
        }
        let report = RecoveryReport(flushCount: 0, recordCount: 0, byteCount: 0, tornTail: nil, isNew: true)
        return make(machine, writer, options, environment, report)
    }

    private static func make(
        _ machine: StateMachine, _ writer: LogWriter, _ options: Options, _ environment: Environment,
        _ report: RecoveryReport
    ) -> Store {
        let committer = Committer(machine: machine, tip: writer.tip, writer: writer, environment: environment)
        return Store(
            CommitQueue(committer, environment), options, environment, isReadOnly: false, report, writer.tip.store)
    }

    /// Marks 16 random bytes as a uuid of version 4 (RFC 9562).
    private static func versionFour(_ random: [UInt8]) -> [UInt8] {
        var bytes = random
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return bytes
    }
}

extension FileDisk {
    static func opening(_ path: String, _ mode: OpenMode) throws(StoreError) -> FileDisk {
        do throws(OpeningError) {
            return try FileDisk(
                path: path, mode == .readOnly ? .readOnly : .exclusive, creating: mode == .createIfMissing)
        } catch {
            switch error {
            case .missing: throw .noStore
            case .locked:
                throw StoreError(
                    .locked, "The store is open for writing elsewhere",
                    advice: "Close it there, or read it with mode readOnly.")
            case .disk(let error): throw StoreError(error)
            }
        }
    }
}

extension RecoveryReport {
    init(_ log: Replay.Log, copy: String?) {
        flushCount = log.flushCount
        recordCount = log.recordCount
        byteCount = log.segments.reduce(0) { $0 + $1.byteCount }
        tornTail = log.tornTail.map {
            TornTailReport($0, file: LogNames.segment(log.tip.segment), sequence: log.tip.seq, copy: copy)
        }
        isNew = false
    }
}
