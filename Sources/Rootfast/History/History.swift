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

    /// The end of a flush, as far as a state of the past is asked for by it.
    struct Moment {
        /// The last commit, and the last record of those that count: votes and decisions may come behind the commit.
        var sequence: UInt64
        var n: UInt64 = .max
    }

    /// The state at the end of the last flush before the commit that follows `moment.sequence`, or earlier where its `n` is.
    ///
    /// Costs a replay of the log between the snapshot before it and there.
    ///
    /// - Throws: `notRetained`, `invalidArgument` if a flush ends elsewhere, `corrupt`, `inputOutput`.
    func state(at moment: Moment) throws(StoreError) -> State {
        let sequence = moment.sequence
        var reasons: [String] = []
        var failure: StoreError?
        for id in try snapshotIDs(upTo: moment) {
            do throws(StoreError) {
                let row = try row(id)
                var options = machineOptions
                options.file = file
                let machine = try StateMachine(row, in: file!, options)
                // The log may be gone where the snapshot itself is all that is asked for.
                guard row.tip.seq < sequence || hasSegment(row.tip.segment) else {
                    return State(machine: machine, tip: row.tip)
                }
                return try replay(to: moment, machine, from: row.tip)
            } catch {
                guard error.code != .invalidArgument else { throw error }
                if error.code != .notRetained, error.code != Replay.segmentIsGone { failure = failure ?? error }
                reasons.append("snapshot \(id): \(error.message)")
            }
        }
        if Replay.logBeginsWithStore(on: disk) == true {
            var options = machineOptions
            options.file = file
            do throws(StoreError) {
                return try replay(to: moment, StateMachine(options), from: nil)
            } catch {
                guard error.code == Replay.segmentIsGone else { throw error }
                reasons.append("a segment before it is gone")
            }
        }
        if let failure { throw failure }
        let why = reasons.isEmpty ? "the log before the oldest snapshot is gone" : reasons.joined(separator: "; ")
        throw StoreError(
            .notRetained, "The state at sequence \(sequence) is not there any more: \(why)",
            advice: "List the snapshots; keep more of them, or more of the log, from now on.")
    }

    private func replay(
        to moment: Moment, _ machine: StateMachine, from start: LogTip?
    ) throws(StoreError) -> State {
        let sequence = moment.sequence
        var options = Replay.Options(readsAhead: readsAhead)
        options.lastSequence = sequence
        if moment.n != .max { options.lastN = moment.n }
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

    private func snapshotIDs(upTo moment: Moment) throws(StoreError) -> [UInt64] {
        guard let file, try Store.exists(StateFile.name, on: disk) else { return [] }
        return try StoreError.wrapping { () throws(SQLiteError) in
            try file.readers.read { connection throws(SQLiteError) in
                try file.summaries(connection).filter {
                    $0.isVerified && $0.sequence <= moment.sequence && $0.n <= moment.n
                }.map(\.id).reversed()
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
    /// The end of the last flush that was written no later than a time, in microseconds since 1970, by the timestamps in the
    /// log; the beginning if none was.
    ///
    /// - Parameter end: where the log is known to end.
    /// - Throws: `notRetained` if the log of that time is gone, `corrupt`, `inputOutput`.
    func moment(at time: UInt64, before end: LogTip) throws(StoreError) -> Moment {
        var found: LogTip?
        for number in try Replay.segmentNumbers(on: disk).sorted() where number <= end.segment {
            let name = LogNames.segment(number)
            let file = try StoreError.wrapping { () throws(DiskError) in try disk.open(name, .read) }
            guard let file else { continue }
            let start = try SegmentHeader.reading(file, name)
            if start.timestamp > time {
                if number == 1, Replay.logBeginsWithStore(on: disk) == true { return Moment(sequence: 0, n: 0) }
                // Where segments before it are gone, what was last then may have been in them.
                if found?.segment != number - 1 { found = nil }
                break
            }
            found = try last(in: file, name, from: start, at: time, before: end)
        }
        guard let found else {
            throw StoreError(
                .notRetained, "The log of that time is not there any more",
                advice: "List the snapshots, and ask for one of their sequences.")
        }
        return Moment(sequence: found.seq, n: found.n)
    }

    private func last(
        in file: any DiskFile, _ name: String, from start: LogTip, at time: UInt64, before end: LogTip
    ) throws(StoreError) -> LogTip {
        let reader = SegmentReader(file, from: start)
        var tip = start
        // What is behind the known end is somebody else's, who writes; before it nothing may be missing.
        while tip.n < end.n {
            switch try StoreError.wrapping({ () throws(DiskError) in try reader.next() }) {
            case .flush(let flush):
                guard flush.tip.timestamp <= time else { return tip }
                tip = flush.tip
            case .end:
                guard tip.segment == end.segment else { return tip }
                throw .damage("The log ends before record \(end.n)", name, tip.offset, tip.seq)
            case .gap(let gap): throw .damage("The log is damaged: \(gap.reason)", name, gap.offset, tip.seq)
            case .unsound(let offset, let reason):
                throw .damage("A flush is whole and cannot be: \(reason)", name, offset, tip.seq)
            }
        }
        return tip
    }
}
