import CommitLog
import SQLite
import Threading

extension Maintenance {
    /// Holds up work in the background until `resume`; what is under way stops between two steps.
    public func pause() { lock.withLock { shared.isPaused = true } }

    public func resume() {
        lock.withLock { shared.isPaused = false }
        wake()
    }

    /// What was done since the store was opened.
    public var statistics: MaintenanceStatistics { lock.withLock { shared.statistics } }

    /// Takes a snapshot of the state as it is durable now, and returns when it is verified. Writers go on meanwhile.
    ///
    /// - Throws: `noSpace`, `inputOutput`, `corrupt`, `poisoned`, `readOnly`, `closed`.
    @discardableResult
    public func takeSnapshot() throws(StoreError) -> SnapshotReport { try takeSnapshot(.hand, isClosing: false) }

    func takeSnapshot(_ reason: SnapshotReason, isClosing: Bool) throws(StoreError) -> SnapshotReport {
        try work.withLock { () throws(StoreError) in
            let place = try requirePlace()
            try finishBegun()
            let writer = makeWriter(place, reason, isClosing: isClosing)
            current = .snapshot(writer)
            try finishCurrent()
            return writer.report
        }
    }

    /// What `close` does: a snapshot, unless there is little log since the last. If it cannot be taken, the next opening
    /// replays more.
    func takeLastSnapshot() {
        let growth = lock.withLock { shared.growth }
        guard work.withLock({ place?.isReadOnly == false }), growth.commitCount > 0,
            growth.logByteCount > Self.littleLogBytes
        else { return }
        _ = try? takeSnapshot(.close, isClosing: true)
    }

    private static let littleLogBytes = 128 << 10

    /// Begins a new segment of the log, so that all before it is sealed; does nothing if the newest has no commit yet.
    public func seal() throws(StoreError) { try queue.seal() }

    /// Takes a snapshot and applies retention.
    @discardableResult
    public func compact() throws(StoreError) -> (snapshot: SnapshotReport, retention: [RetentionDecision]) {
        (try takeSnapshot(), try retain())
    }

    /// Decides what is kept, deprecates what is beyond the limits and reclaims what was deprecated for long enough.
    ///
    /// - Parameter isDry: only tells what would be done.
    @discardableResult
    public func retain(isDry: Bool = false) throws(StoreError) -> [RetentionDecision] {
        try work.withLock { () throws(StoreError) in
            guard let place = isDry ? place : try requirePlace() else { throw Self.closed }
            guard try Store.exists(StateFile.name, on: place.disk) else { return [] }
            if isDry { return try plan(place).decisions }
            try finishCurrent()
            let run = makeRun(place)
            current = .retention(run)
            try finishCurrent()
            return run.decisions
        }
    }

    /// Takes back that something is deprecated, and keeps it until it is deprecated by hand.
    ///
    /// - Throws: `invalidArgument` if there is no such thing any more.
    public func undeprecate(_ item: RetentionItem) throws(StoreError) { try setDeprecated(item, at: nil) }

    /// Deprecates something by hand; its grace time begins.
    public func deprecate(_ item: RetentionItem) throws(StoreError) {
        try setDeprecated(item, at: environment.now())
    }

    private func setDeprecated(_ item: RetentionItem, at time: UInt64?) throws(StoreError) {
        try work.withLock { () throws(StoreError) in
            let place = try requirePlace()
            guard try plan(place).decisions.contains(where: { $0.item == item }) else {
                throw StoreError(.invalidArgument, "There is no \(item) any more", advice: "List what there is.")
            }
            try StoreError.wrapping { () throws(SQLiteError) in
                let mark = time == nil ? HandMark.kept : .deprecated
                switch item {
                case .snapshot(let id): try place.file.setDeprecated(snapshot: id, at: time, mark)
                case .segment(let number): try place.file.setDeprecated(segment: number, at: time, mark)
                }
            }
        }
    }

    private func requirePlace() throws(StoreError) -> Place {
        guard let place, !place.isReadOnly else {
            throw StoreError(.readOnly, "This store cannot take snapshots", advice: "Open it for writing.")
        }
        return place
    }

    /// Takes what was begun in the background to its end. If that is a retention and it fails, it is told by the statistics:
    /// it must not keep a snapshot from being taken.
    private func finishBegun() throws(StoreError) {
        var isRetention = false
        if case .retention = current { isRetention = true }
        do throws(StoreError) { try finishCurrent() } catch { guard isRetention else { throw error } }
    }

    /// Takes the current work to its end. With `work` held.
    private func finishCurrent() throws(StoreError) {
        while current != nil { try advance() }
    }
}
