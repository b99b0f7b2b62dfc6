import CommitLog
import StateTree

extension Store {
    /// The state at an earlier sequence: one that a snapshot keeps, or with the log that is there the end of any flush
    /// between (`Receipt.rootSequence` is such an end).
    ///
    /// Costs a replay of the log since the snapshot before it; keeps that snapshot from being reclaimed while it is in
    /// use.
    ///
    /// - Throws: `notRetained`, `invalidArgument` for a sequence that is not reached or in the middle of a flush,
    ///   `corrupt`, `inputOutput`, `closed`.
    public func view(at sequence: UInt64) throws(StoreError) -> View {
        let now = view
        guard sequence <= now.sequence else {
            throw StoreError(.invalidArgument, "Sequence \(sequence) is not reached yet: the last is \(now.sequence)")
        }
        if sequence == now.sequence { return now }
        let pin = try maintenance.pin(snapshotsUpTo: sequence, segment: nil)
        let state = try pastState(at: .init(sequence: sequence))
        let tree = state.machine.tree.freeze(hashing: true)
        return View(state: StateView(tree: tree, sequence: sequence, keeping: pin))
    }

    /// The state at the end of a flush, in a tree of its own.
    func pastState(at moment: History.Moment) throws(StoreError) -> History.State {
        // The log is needed only until it is read.
        let pin = try maintenance.pin(snapshotsUpTo: 0, segment: 1)
        defer { withExtendedLifetime(pin) {} }
        return try maintenance.withHistory { (history) throws(StoreError) in try history.state(at: moment) }
    }

    /// The last sequence whose flush was written no later than a time, in microseconds since 1970.
    ///
    /// - Throws: `notRetained`, `corrupt`, `inputOutput`.
    public func sequence(at time: UInt64) throws(StoreError) -> UInt64 { try moment(at: time).sequence }

    /// The end of the last flush that was written no later than a time.
    func moment(at time: UInt64) throws(StoreError) -> History.Moment {
        let end = try queue.durableTip()
        return try maintenance.withHistory { (history) throws(StoreError) in try history.moment(at: time, before: end) }
    }
}

extension View {
    /// Calls `body` with each key whose value differs between an earlier state and this one, in order: the key, its
    /// value then and now, `nil` where it is absent. Stops when it answers false.
    ///
    /// Costs the difference: parts with equal hashes are passed over unseen. Meanwhile nothing leaves memory.
    public func forEachChange(
        since earlier: View,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?, UnsafeRawBufferPointer?) throws -> Bool
    ) throws {
        do {
            try state.tree.forEachDifference(from: earlier.state.tree, body)
        } catch let error as PageError {
            throw StoreError(error)
        }
    }
}
