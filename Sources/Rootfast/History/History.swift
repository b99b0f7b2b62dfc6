import CommitLog
import SQLite
import StateTree

/// States of the past: those that snapshots keep, and with the log that is there the end of any flush between them.
struct History {
    let disk: any Disk
    /// `nil` if there is no state file.
    let file: StateFile?
    let machineOptions: StateMachine.Options
    let readsAhead: Bool

    /// A state of the past, in a tree of its own.
    struct State {
        var machine: StateMachine
        /// Where the log stood.
        var tip: LogTip
    }

    /// The state at the end of the last flush before the commit that follows `sequence`.
    ///
    /// Costs a replay of the log between the snapshot before it and there.
    ///
    /// - Throws: `notRetained`, `invalidArgument` if a flush ends elsewhere, `corrupt`, `inputOutput`.
    func state(at sequence: UInt64) throws(StoreError) -> State {
        var reasons: [String] = []
        for id in try snapshotIDs(upTo: sequence) {
            do throws(StoreError) {
                let row = try row(id)
                var options = machineOptions
                options.file = file
                let machine = try StateMachine(row, in: file!, options)
                // The log may be gone where the snapshot itself is all that is asked for.
                guard row.tip.seq < sequence || hasSegment(row.tip.segment) else {
                    return State(machine: machine, tip: row.tip)
                }
                return try replay(to: sequence, machine, from: row.tip)
            } catch {
                guard error.code != .invalidArgument else { throw error }
                reasons.append("snapshot \(id): \(error.message)")
            }
        }
        if Replay.logBeginsWithStore(on: disk) == true {
            var options = machineOptions
            options.file = file
            do throws(StoreError) {
                return try replay(to: sequence, StateMachine(options), from: nil)
            } catch {
                guard error.code == Replay.segmentIsGone else { throw error }
                reasons.append("a segment before it is gone")
            }
        }
        let why = reasons.isEmpty ? "the log before the oldest snapshot is gone" : reasons.joined(separator: "; ")
        throw StoreError(
            .notRetained, "The state at sequence \(sequence) is not there any more: \(why)",
            advice: "List the snapshots; keep more of them, or more of the log, from now on.")
    }

    private func replay(
        to sequence: UInt64, _ machine: StateMachine, from start: LogTip?
    ) throws(StoreError) -> State {
        var options = Replay.Options(readsAhead: readsAhead)
        options.lastSequence = sequence
        var replay = Replay(disk, into: machine, from: start, options)
        let tip = try replay.run().tip
        guard tip.seq == sequence else {
            throw StoreError(
                .invalidArgument,
                "No flush ends at sequence \(sequence): the state after \(tip.seq) is the last before it that the log has a root for",
                advice: "Ask for sequence \(tip.seq), or for a later one.")
        }
        return State(machine: machine, tip: tip)
    }

    private func hasSegment(_ number: UInt64) -> Bool {
        (try? disk.open(LogNames.segment(number), .read)) ?? nil != nil
    }

    private func snapshotIDs(upTo sequence: UInt64) throws(StoreError) -> [UInt64] {
        guard let file, try Store.exists(StateFile.name, on: disk) else { return [] }
        return try StoreError.wrapping { () throws(SQLiteError) in
            try file.readers.read { connection throws(SQLiteError) in
                try file.summaries(connection).filter { $0.isVerified && $0.sequence <= sequence }.map(\.id).reversed()
            }
        }
    }

    private func row(_ id: UInt64) throws(StoreError) -> SnapshotRow {
        let row = try StoreError.wrapping { () throws(SQLiteError) in
            try file!.readers.read { connection throws(SQLiteError) in try file!.snapshot(id, connection) }
        }
        switch row {
        case .success(let row): return row
        case .failure(let fault): throw .damage(fault.description, StateFile.name, nil)
        }
    }
}

// MARK: - Times

extension History {
    /// The last commit of the last flush that was written no later than a time, in microseconds since 1970, by the
    /// timestamps in the log; 0 if none was.
    ///
    /// - Throws: `notRetained` if the log of that time is gone.
    func sequence(at time: UInt64) throws(StoreError) -> UInt64 {
        var found: LogTip?
        for number in try Replay.segmentNumbers(on: disk).sorted() {
            let name = LogNames.segment(number)
            let file = try StoreError.wrapping { () throws(DiskError) in try disk.open(name, .read) }
            guard let file else { continue }
            let start = try SegmentHeader.reading(file, name)
            if start.timestamp > time {
                if number == 1, Replay.logBeginsWithStore(on: disk) == true { return 0 }
                // Where segments before it are gone, what was last then may have been in them.
                if found?.segment != number - 1 { found = nil }
                break
            }
            found = try last(in: file, from: start, at: time)
        }
        guard let found else {
            throw StoreError(
                .notRetained, "The log of that time is not there any more",
                advice: "List the snapshots, and ask for one of their sequences.")
        }
        return found.seq
    }

    private func last(in file: any DiskFile, from start: LogTip, at time: UInt64) throws(StoreError) -> LogTip {
        try StoreError.wrapping { () throws(DiskError) in
            let reader = SegmentReader(file, from: start)
            var tip = start
            while case .flush(let flush) = try reader.next(), flush.tip.timestamp <= time { tip = flush.tip }
            return tip
        }
    }
}
