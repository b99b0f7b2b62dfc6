import CommitLog
public import Hashing
public import StateTree

/// An embedded, transactional, verifiable state store: a folder with a log that every commit is written to, and the
/// state that the log leads to in memory, under a Merkle root.
///
/// Any number of threads and tasks may use one `Store`; one `Store` at a time may have a folder open for writing.
/// `write` returns when what it did is durable, unless `Options.durability` says otherwise; `prepare`, `commit` and
/// `abort` always do.
public final class Store: Sendable {
    let queue: CommitQueue
    /// Snapshots, retention, and what else keeps the store in shape.
    public let maintenance: Maintenance
    let options: Options
    let environment: Environment
    let isReadOnly: Bool
    /// What opening found: a torn tail that was dropped, and how much was replayed.
    public let recovery: RecoveryReport
    private let id: StoreID

    init(
        _ queue: CommitQueue, _ maintenance: Maintenance, _ options: Options, _ environment: Environment,
        isReadOnly: Bool, _ recovery: RecoveryReport, _ id: StoreID
    ) {
        self.queue = queue
        self.maintenance = maintenance
        self.options = options
        self.environment = environment
        self.isReadOnly = isReadOnly
        self.recovery = recovery
        self.id = id
    }

    /// The store's uuid.
    public var uuid: String { id.description }

    /// Closes the store: waits for what is under way, cuts the log to its length and notes its end. Views stay valid;
    /// all else throws `closed` from now on. A store that is not closed is as after a kill: nothing durable is lost.
    ///
    /// - Throws: `poisoned` where commits that were acknowledged before they were durable did not become so, and as `write`
    ///   for I/O. The store is closed all the same.
    public func close() throws(StoreError) {
        queue.refuseFurther()
        maintenance.end()
        guard !isReadOnly else { return maintenance.letGo() }
        if options.snapshotsOnClose { maintenance.takeLastSnapshot() }
        var failure: StoreError?
        let request = CommitRequest(
            .barrier { committer in
                if self.options.durability != .sync { failure = committer.poison }
                do throws(DiskError) { try committer.shut() } catch { failure = StoreError(error) }
            }, isClosing: true)
        _ = try queue.submit(request)
        maintenance.letGo()
        if let failure { throw failure }
    }

    // MARK: - Reading

    /// The state as it is durable now; where durability is not `.sync`, as it is applied now.
    ///
    /// Under `.sync` it costs O(1), and does not wait if something was read during the last 1,024 flushes; else it waits,
    /// once, until the commits under way are durable. Otherwise what changed since the last view is hashed, once commits
    /// under way are applied; where a segment ends in between, the next has to begin first.
    public var view: View { View(state: isDurableOnly ? queue.durableView : queue.appliedView(hashing: true)) }

    private var isDurableOnly: Bool { isReadOnly || options.durability == .sync }

    /// Reads several things from one state.
    public func read<R, E: Error>(_ body: (View) throws(E) -> R) throws(E) -> R { try body(view) }

    /// The value of a key in the state that `view` shows, or `nil`.
    ///
    /// - Throws: `corrupt` or `inputOutput` if a page that is not in memory cannot be read.
    public func get(_ key: some Bytes) throws(StoreError) -> [UInt8]? {
        try (isDurableOnly ? view : View(state: queue.appliedView(hashing: false))).get(key)
    }

    /// The root of the state that `view` shows.
    public var root: Digest { view.root }

    /// A proof that a key is present in the state that `view` shows, or absent from it.
    public func proof(for key: some Bytes) throws(StoreError) -> Proof { try view.proof(for: key) }

    // MARK: - Writing

    /// Runs `body` as a transaction and commits its changes to all keys together.
    ///
    /// If what it read was changed by another before it could commit, or is locked by a transaction in doubt, it is
    /// run again after a pause, up to `Options.attemptsMax` times: so it may do nothing but use its transaction. If it
    /// throws, nothing is written. If it changes nothing, nothing is written, and `write` returns when what it saw is
    /// durable.
    ///
    /// - Parameters:
    ///   - id: 1 to 256 bytes that name the transaction, to ask `outcome(of:)` about it; used once.
    ///   - durability: asks for more than `Options.durability`; less has no effect.
    /// - Throws: what `body` throws, or a `StoreError`: `conflict`, `lockedByInDoubt`, `duplicateID`, `tooLarge`,
    ///   `noSpace`, `outcomeUnknown`, `poisoned`, `readOnly`, `closed`.
    @discardableResult
    public func write(
        id: String? = nil, durability: Durability = .none, _ body: (Transaction) throws -> Void
    ) throws -> Receipt {
        try write(id: id, durability: durability, body).receipt
    }

    /// The same, with what `body` returns.
    public func write<R>(
        id: String? = nil, durability: Durability = .none, _ body: (Transaction) throws -> R
    ) throws -> (value: R, receipt: Receipt) {
        let idBytes = try id.map { (id) throws(StoreError) in try Limits.check(id: id) }
        var attempt = Attempt(self)
        while true {
            maintenance.slowDown()
            let (value, request) = try run(body, attempt, durability) { $0.writing(id: idBytes) }
            do throws(StoreError) {
                return (value, try queue.submit(request))
            } catch {
                environment.pause(try attempt.pauseAfter(error))
            }
        }
    }

    /// Returns when all that was acknowledged before is durable.
    public func flush() throws(StoreError) {
        try checkWritable()
        _ = try queue.submit(CommitRequest(.settle))
    }

    /// Runs a transaction's body on the newest state and makes the request that it leads to.
    func run<R>(
        isVoted: Bool = false, _ body: (Transaction) throws -> R, _ attempt: Attempt, _ durability: Durability,
        _ action: (Proposal) -> CommitRequest.Action
    ) throws -> (R, CommitRequest) {
        try checkWritable()
        let transaction = Transaction { self.basis(attempt) }
        defer { transaction.end() }
        let value = try body(transaction)
        let proposal = try transaction.proposal(isVoted: isVoted)
        return (value, CommitRequest(action(proposal), .stronger(durability, options.durability)))
    }

    /// What a transaction reads. Under `.sync` the end of the newest flush is cheaper, and new enough for a first
    /// attempt: it shows all that was acknowledged.
    func basis(_ attempt: Attempt) -> StateView {
        isDurableOnly && attempt.isFirst ? queue.newestView : queue.appliedView(hashing: false)
    }

    func checkWritable() throws(StoreError) {
        if isReadOnly {
            throw StoreError(.readOnly, "The store was opened to be read only", advice: "Open it for writing.")
        }
    }

    // MARK: - Questions

    /// What became of the transaction with an id of its own.
    public func outcome(of id: String) throws(StoreError) -> Outcome {
        let id = try Limits.check(id: id)
        return try inspect { committer in Result { () throws(StoreError) in try committer.outcome(of: id) } }.get()
    }

    /// The transactions that have voted and wait for a decision, in the order of their votes.
    public func inDoubt() throws(StoreError) -> [InDoubtTransaction] {
        try inspect { $0.inDoubt.map(\.description) }
    }

    /// Where the store stands.
    public func status() throws(StoreError) -> StoreStatus {
        let uuid = self.uuid
        return try inspect { StoreStatus($0, uuid: uuid) }
    }

    private func inspect<R>(_ body: @escaping (Committer) -> R) throws(StoreError) -> R {
        var result: R?
        _ = try queue.submit(CommitRequest(.barrier { result = body($0) }))
        return result!
    }
}

/// The bounded retry of a transaction that loses.
struct Attempt {
    private let attemptsMax: Int
    private var count = 1
    var isFirst: Bool { count == 1 }

    init(_ store: Store) { attemptsMax = store.options.attemptsMax }

    /// How many nanoseconds to wait before the next attempt: from 50 µs on, doubled each time up to 12.8 ms.
    ///
    /// - Throws: the error itself, if it is not one that another attempt can mend or there were enough.
    mutating func pauseAfter(_ error: StoreError) throws(StoreError) -> UInt64 {
        switch error.code {
        case .conflict, .lockedByInDoubt: break
        default: throw error
        }
        guard count < attemptsMax else { throw error }
        defer { count += 1 }
        return 50_000 << UInt64(min(count - 1, 8))
    }
}
