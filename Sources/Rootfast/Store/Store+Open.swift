package import CommitLog
import Hashing
import SQLite
import StateTree

extension Store {
    /// Opens the store in a folder: goes on from its newest snapshot that is whole, replays the log after it, verifies
    /// every record, crc and chain there and the root at the end.
    ///
    /// Costs time in proportion to the log since the snapshot, after a clean close next to nothing. A flush that had not become durable when the
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
        guard mode != .readOnly else { return try openReadOnly(disk, options, environment) }
        let store = try open(disk, creating: mode == .createIfMissing, options: options, environment: environment)
        store.maintenance.start()
        return store
    }

    /// Opens a store on any disk whose lock, where it has one, is held.
    package static func open(
        _ disk: any Disk, creating: Bool, options: Options, environment: Environment
    ) throws(StoreError) -> Store {
        if creating, try isVacant(disk) { return try create(disk, options, environment) }
        let recovered = try Recovery(
            disk: disk, machineOptions: .init(options, environment),
            replayOptions: .init(readsAhead: environment.usesThreads), isReadOnly: false
        ).run()
        let previous = try settle(recovered, disk)
        let (log, machine) = (recovered.log, recovered.machine)
        let (copy, writer) = try StoreError.wrapping { () throws(DiskError) in
            // What the process before made and did not live to sync is seen, and relied on from here on.
            try disk.syncFolder(LogNames.folder)
            try disk.syncFolder("")
            let copy = try TailRepair(disk: disk, log: log).run()
            var tip = log.tip
            tip.synced = tip.n
            let options = LogWriter.Options(segmentBytesMax: options.segmentBytesMax)
            return (copy, try LogWriter(disk, at: tip, firstOffset: log.firstOffset, options: options))
        }
        return make(
            machine, writer, disk, recovered.file, previous, options, environment,
            RecoveryReport(recovered, copy: copy), recovered.growth)
    }

    /// Makes the state file fit for the snapshots to come: those that were passed over leave no trace in it.
    private static func settle(
        _ recovered: Recovery.Result, _ disk: any Disk
    ) throws(StoreError) -> SnapshotWriter.Previous {
        guard try exists(StateFile.name, on: disk) else { return .init() }
        if recovered.faults.contains(where: { $0.id == 0 }) {
            // A connection would go on reading the file that gets another name.
            recovered.file.readers.close()
            try StoreError.wrapping { () throws(DiskError) in try StateFile.setAside(on: disk) }
            return .init()
        }
        return try StoreError.wrapping { () throws(SQLiteError) in
            let isAsUsual = recovered.faults.isEmpty && recovered.snapshot?.isVerified != false
            guard !isAsUsual else { return recovered.snapshot.map { .init($0) } ?? .init() }
            if let row = recovered.snapshot { return try recovered.file.goOn(from: row) }
            try recovered.file.discardSnapshots(after: .init())
            return .init()
        }
    }

    static func exists(_ name: String, on disk: any Disk) throws(StoreError) -> Bool {
        try StoreError.wrapping { () throws(DiskError) in try disk.open(name, .read) != nil }
    }

    private static func openReadOnly(
        _ disk: FileDisk, _ options: Options, _ environment: Environment
    ) throws(StoreError) -> Store {
        let wasLocked = disk.isLocked()
        do throws(StoreError) {
            return try openReadOnly(disk, options, environment, isBeingWritten: wasLocked)
        } catch {
            // A writer that came meanwhile can look like damage: read again beside it.
            guard !wasLocked, disk.isLocked() else { throw error }
            return try openReadOnly(disk, options, environment, isBeingWritten: true)
        }
    }

    private static func openReadOnly(
        _ disk: any Disk, _ options: Options, _ environment: Environment, isBeingWritten: Bool
    ) throws(StoreError) -> Store {
        let recovered = try Recovery.readBeside(
            disk, .init(options, environment), isBeingWritten: isBeingWritten,
            .init(readsAhead: environment.usesThreads))
        let tip = recovered.log.tip
        let queue = CommitQueue(
            Committer(machine: recovered.machine, tip: tip, writer: nil, environment: environment), environment)
        let place = Maintenance.Place(file: recovered.file, disk: disk, isReadOnly: true)
        let maintenance = Maintenance(queue, place, options, environment, previous: .init())
        return Store(
            queue, maintenance, options, environment, isReadOnly: true, RecoveryReport(recovered, copy: nil), tip.store)
    }

    /// Whether there is neither a store nor the rest of one.
    private static func isVacant(_ disk: any Disk) throws(StoreError) -> Bool {
        guard try !exists(LogNames.manifest, on: disk) else { return false }
        return try Replay.isLogVacant(on: disk)
    }

    private static func create(
        _ disk: any Disk, _ options: Options, _ environment: Environment
    ) throws(StoreError) -> Store {
        let id = newID(environment)
        let file = StateFile(on: disk, store: id, .readWrite)
        // A state file without a store is what is left of another one.
        try StoreError.wrapping { () throws(DiskError) in try StateFile.setAside(on: disk) }
        var machineOptions = StateMachine.Options(options, environment)
        machineOptions.file = file
        let machine = StateMachine(machineOptions)
        let first = LogTip(newStore: id, root: machine.tree.root(), timestamp: environment.now())
        let writer = try StoreError.wrapping { () throws(DiskError) in
            let tip = try LogWriter.create(disk, first)
            let options = LogWriter.Options(segmentBytesMax: options.segmentBytesMax)
            return try LogWriter(disk, at: tip, firstOffset: tip.offset, options: options)
        }
        let report = RecoveryReport(flushCount: 0, recordCount: 0, byteCount: 0, isNew: true)
        return make(machine, writer, disk, file, .init(), options, environment, report, Growth())
    }

    private static func make(
        _ machine: StateMachine, _ writer: LogWriter, _ disk: any Disk, _ file: StateFile,
        _ previous: SnapshotWriter.Previous, _ options: Options, _ environment: Environment,
        _ report: RecoveryReport, _ growth: Growth
    ) -> Store {
        let committer = Committer(
            machine: machine, tip: writer.tip, writer: writer, environment: environment, growth: growth)
        let queue = CommitQueue(committer, environment)
        let place = Maintenance.Place(file: file, disk: disk)
        let maintenance = Maintenance(queue, place, options, environment, previous: previous)
        committer.watch = { [weak maintenance] in maintenance?.note($0) }
        maintenance.note(growth)
        return Store(queue, maintenance, options, environment, isReadOnly: false, report, writer.tip.store)
    }

    static func newID(_ environment: Environment) -> StoreID {
        StoreID(bytes: versionFour(environment.randomBytes()))!
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

extension StateMachine.Options {
    init(_ options: Options, _ environment: Environment) {
        kernel = environment.kernel
        outcomeCountMax = options.outcomeCountMax
        memoryBytesMax = options.memoryBytesMax
    }
}

extension Recovery.Result {
    /// How far the store has gone on since the snapshot.
    fileprivate var growth: Growth {
        var growth = Growth()
        growth.logByteCount = log.byteCount
        growth.commitCount = log.tip.seq - (snapshot?.tip.seq ?? 0)
        growth.changeCount = log.changeCount
        growth.keyCountBefore = snapshot?.tree.count ?? 0
        growth.keyCount = machine.tree.count
        return growth
    }
}

extension RecoveryReport {
    init(_ recovered: Recovery.Result, copy: String?) {
        let log = recovered.log
        snapshotID = recovered.snapshot?.id
        snapshotSequence = recovered.snapshot?.tip.seq
        badSnapshots = recovered.faults.map(\.description)
        flushCount = log.flushCount
        recordCount = log.recordCount
        byteCount = log.byteCount
        tornTail = log.tornTail.map {
            TornTailReport($0, file: LogNames.segment(log.tip.segment), sequence: log.tip.seq, copy: copy)
        }
        isNew = false
    }
}
