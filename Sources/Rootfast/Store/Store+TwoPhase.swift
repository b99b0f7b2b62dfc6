import StateTree

/// Two-phase commit: a durable vote that survives any crash, and its decision.
extension Store {
    /// Runs `body` as a transaction and makes its changes ready to be committed: a durable vote.
    ///
    /// From then on only a failing disk can keep it from being committed. Until it is decided its keys are locked, what
    /// it read included, across restarts. Its decision may come from here or, by its id, from any later process.
    ///
    /// - Throws: as `write`.
    public func prepare(_ id: String, _ body: (Transaction) throws -> Void) throws -> PreparedTransaction {
        let idBytes = try Limits.check(id: id)
        var attempt = Attempt(self)
        while true {
            let (_, request) = try run(isVoted: true, body, attempt, .sync) { .prepare($0, id: idBytes) }
            do throws(StoreError) {
                _ = try queue.submit(request)
                return PreparedTransaction(self, id)
            } catch {
                environment.pause(try attempt.pauseAfter(error))
            }
        }
    }

    /// Commits a transaction in doubt. Doing so again is harmless and gives the same sequence.
    ///
    /// - Throws: `unknownTransaction`, `alreadyDecided` if it was aborted, and as `write` for I/O.
    @discardableResult
    public func commit(_ id: String) throws(StoreError) -> Receipt { try decide(id, .commit, isResolved: false) }

    /// Aborts a transaction in doubt. Doing so again is harmless.
    ///
    /// - Parameter reason: at most 1,024 bytes, kept in the log.
    /// - Throws: `unknownTransaction`, `alreadyDecided` if it was committed, and as `write` for I/O.
    public func abort(_ id: String, reason: String = "aborted") throws(StoreError) {
        _ = try decide(id, .abort(reason: reason), isResolved: false)
    }

    /// Decides a transaction in doubt by hand, in place of its coordinator. The log records that it was so.
    @discardableResult
    public func resolve(_ id: String, _ decision: Decision) throws(StoreError) -> Receipt {
        try decide(id, decision, isResolved: true)
    }

    private func decide(_ id: String, _ decision: Decision, isResolved: Bool) throws(StoreError) -> Receipt {
        try queue.submit(decisionRequest(id, decision, isResolved: isResolved))
    }

    func decisionRequest(_ id: String, _ decision: Decision, isResolved: Bool) throws(StoreError) -> CommitRequest {
        try checkWritable()
        if case .abort(let reason) = decision { try Limits.check(reason: reason) }
        return CommitRequest(.decide(id: try Limits.check(id: id), decision, isResolved: isResolved))
    }
}

/// A transaction that has voted. Deciding it consumes it: twice does not compile.
///
/// One that is dropped undecided stays in doubt; decide it by its id.
public struct PreparedTransaction: ~Copyable, Sendable {
    private let store: Store
    public let id: String

    init(_ store: Store, _ id: String) {
        self.store = store
        self.id = id
    }

    @discardableResult
    public consuming func commit() throws(StoreError) -> Receipt { try store.commit(id) }

    public consuming func abort(reason: String = "aborted") throws(StoreError) {
        try store.abort(id, reason: reason)
    }
}
