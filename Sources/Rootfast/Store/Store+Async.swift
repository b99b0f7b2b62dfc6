import StateTree

/// The asynchronous face: the same, suspending the task instead of blocking the thread. The bodies run on the caller's
/// executor; waiting for the disk is done by one thread of the store's own, never by the cooperative pool.
extension Store {
    /// See the blocking `write`.
    @discardableResult
    public func write(
        id: String? = nil, durability: Durability = .none, _ body: (Transaction) throws -> Void
    ) async throws -> Receipt {
        try await write(id: id, durability: durability, body).receipt
    }

    /// See the blocking `write`.
    public func write<R>(
        id: String? = nil, durability: Durability = .none, _ body: (Transaction) throws -> R
    ) async throws -> (value: R, receipt: Receipt) {
        let idBytes = try id.map { (id) throws(StoreError) in try Limits.check(id: id) }
        var attempt = Attempt(self)
        while true {
            try await maintenance.slowDown()
            let (value, request) = try run(body, attempt, durability) { $0.writing(id: idBytes) }
            do {
                return (value, try await queue.submit(request))
            } catch let error as StoreError {
                try await Task.sleep(nanoseconds: attempt.pauseAfter(error))
            }
        }
    }

    /// See the blocking `flush`.
    public func flush() async throws {
        try checkWritable()
        _ = try await queue.submit(CommitRequest(.settle))
    }

    /// See the blocking `prepare`.
    public func prepare(_ id: String, _ body: (Transaction) throws -> Void) async throws -> PreparedTransaction {
        let idBytes = try Limits.check(id: id)
        var attempt = Attempt(self)
        while true {
            let (_, request) = try run(isVoted: true, body, attempt, .sync) { .prepare($0, id: idBytes) }
            do {
                _ = try await queue.submit(request)
                return PreparedTransaction(self, id)
            } catch let error as StoreError {
                try await Task.sleep(nanoseconds: attempt.pauseAfter(error))
            }
        }
    }

    /// See the blocking `commit`.
    @discardableResult
    public func commit(_ id: String) async throws -> Receipt {
        try await queue.submit(decisionRequest(id, .commit, isResolved: false))
    }

    /// See the blocking `abort`.
    public func abort(_ id: String, reason: String = "aborted") async throws {
        _ = try await queue.submit(decisionRequest(id, .abort(reason: reason), isResolved: false))
    }
}
