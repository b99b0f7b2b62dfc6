package import CommitLog
import StateTree

extension Store {
    /// Verifies a store on disk: every record, crc and chain, and the root at every flush. Changes nothing and takes no
    /// lock, so it may run beside a writer; then it goes up to the last flush known to be durable.
    ///
    /// Costs a replay of the log and memory for the state.
    ///
    /// - Parameter progress: told the bytes verified so far and in all.
    /// - Throws: `noStore`, `inputOutput`. Damage is no error here: it is in the report.
    public static func check(
        _ path: String, progress: ((_ done: Int, _ total: Int) -> Void)? = nil
    ) throws(StoreError) -> CheckReport {
        let disk = try FileDisk.opening(path, .readOnly)
        let wasBeingWritten = disk.isLocked()
        let report = try check(disk, isBeingWritten: wasBeingWritten, Environment.system(), progress)
        // A writer that came, or went on, while the log was read can look like damage: read again beside it.
        guard report.verdict != .sound, disk.isLocked() else { return report }
        return try check(disk, isBeingWritten: true, Environment.system(), progress)
    }

    /// Verifies a store on any disk.
    package static func check(
        _ disk: any Disk, isBeingWritten: Bool, _ environment: Environment,
        _ progress: ((_ done: Int, _ total: Int) -> Void)? = nil
    ) throws(StoreError) -> CheckReport {
        let options = Replay.Options(
            verifiesEveryRoot: true, readsAhead: environment.usesThreads, progress: progress)
        do throws(StoreError) {
            let recovered = try Recovery.readBeside(
                disk, .init(Options(), environment), isBeingWritten: isBeingWritten, options)
            return CheckReport(recovered.log, recovered.machine, isBeingWritten: isBeingWritten)
        } catch {
            guard error.code == .corrupt else { throw error }
            return CheckReport(verdict: .damaged, damage: error, isBeingWritten: isBeingWritten)
        }
    }
}

extension CheckReport {
    init(_ log: Replay.Log, _ machine: StateMachine, isBeingWritten: Bool) {
        verdict = log.tornTail == nil && machine.inDoubt.isEmpty ? .sound : .wantsAttention
        self.isBeingWritten = isBeingWritten
        uuid = log.manifest.store.description
        sequence = log.tip.seq
        root = log.tip.root
        keyCount = machine.tree.count
        flushCount = log.flushCount
        recordCount = log.recordCount
        segments = log.segments
        inDoubt = machine.inDoubtInOrder.map(\.description)
        tornTail = log.tornTail.map {
            TornTailReport($0, file: LogNames.segment(log.tip.segment), sequence: log.tip.seq, copy: nil)
        }
        isClosed = log.manifest.closed != nil
    }
}
