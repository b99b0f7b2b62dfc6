package import CommitLog
import StateTree

extension Store {
    /// Verifies a store on disk: of the log that is there every record, crc and chain and the root at every flush, and of
    /// the state file every snapshot with all its pages, and that all of it agrees. Changes nothing and takes no lock, so
    /// it may run beside a writer; then it goes up to the last flush known to be durable.
    ///
    /// Costs a replay of the log and a reading of the state file; with `isQuick` what opening the store costs.
    ///
    /// - Parameters:
    ///   - isQuick: verifies what opening verifies, and the root at every flush since the newest snapshot.
    ///   - progress: told the bytes of log, or the pages of state, verified so far and in all.
    /// - Throws: `noStore`, `inputOutput`. Damage is no error here: it is in the report.
    public static func check(
        _ path: String, isQuick: Bool = false, progress: ((CheckStage, _ done: Int, _ total: Int) -> Void)? = nil
    ) throws(StoreError) -> CheckReport {
        let disk = try FileDisk.opening(path, .readOnly)
        let wasBeingWritten = disk.isLocked()
        let environment = Environment.system()
        // A writer that came, or went on, meanwhile can look like damage: read again beside it.
        do throws(StoreError) {
            let report = try check(disk, isQuick: isQuick, isBeingWritten: wasBeingWritten, environment, progress)
            guard report.verdict != .sound, disk.isLocked() else { return report }
        } catch {
            guard !wasBeingWritten, disk.isLocked() else { throw error }
        }
        return try check(disk, isQuick: isQuick, isBeingWritten: true, environment, progress)
    }

    /// Verifies a store on any disk.
    package static func check(
        _ disk: any Disk, isQuick: Bool = false, isBeingWritten: Bool, _ environment: Environment,
        _ progress: ((CheckStage, _ done: Int, _ total: Int) -> Void)? = nil
    ) throws(StoreError) -> CheckReport {
        let machineOptions = StateMachine.Options(Options(), environment)
        let replayOptions = Replay.Options(
            verifiesEveryRoot: true, readsAhead: environment.usesThreads,
            progress: progress.map { progress in { progress(.log, $0, $1) } })
        do throws(StoreError) {
            let recovered = try Recovery.readBeside(
                disk, machineOptions, isBeingWritten: isBeingWritten, readsWholeLog: !isQuick, replayOptions)
            if let fault = recovered.faults.first {
                if let failure = fault.failure { throw failure }
                throw .damage("There is a damaged \(fault)", fault.file, nil, recovered.log.tip.seq)
            }
            var report = CheckReport(recovered, isBeingWritten: isBeingWritten)
            report.isQuick = isQuick
            if !isQuick, try exists(StateFile.name, on: disk) {
                let check = StateCheck(
                    disk: disk, file: recovered.file, options: machineOptions,
                    progress: progress.map { progress in { progress(.state, $0, $1) } })
                report.add(try check.run())
            }
            return report
        } catch {
            guard error.code == .corrupt else { throw error }
            return CheckReport(verdict: .damaged, damage: error, isBeingWritten: isBeingWritten)
        }
    }
}

extension CheckReport {
    fileprivate init(_ recovered: Recovery.Result, isBeingWritten: Bool) {
        let (log, machine) = (recovered.log, recovered.machine)
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
    fileprivate mutating func add(_ state: StateCheck.Result) {
        snapshots = state.snapshots
        (pageCount, longValueCount, outcomeCount) = (state.pageCount, state.longValueCount, state.outcomeCount)
        leftOver = state.leftOver
    }
}
