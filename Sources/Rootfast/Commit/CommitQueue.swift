import StateTree
import Threading

/// Brings the requests of many callers into shared flushes (group commit).
///
/// Callers add their requests to the group that gathers. One thread at a time *leads*: it closes the group, has it
/// sealed and persisted, and tells the others. A blocking caller who finds nobody leading leads at once, on its own
/// thread, so that a lone writer never waits for company or for another thread. While it leads, the next group gathers;
/// if there is one when it is done, the queue's own thread leads on until there is none. (Handing over from caller to
/// caller instead leaves the disk idle while the next leader waits for a core among all those just woken.)
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only, but for `committer`, which is
/// touched only by who leads, and leading is handed over under `lock`.
final class CommitQueue: @unchecked Sendable {
    /// Callers who wait for the same flush, on one condition of their own.
    private final class Group {
        var requests: [CommitRequest] = []
        var byteCount = 0
        var isDone = false
        let condition = Condition()
    }

    /// A flush takes no more bytes than this, but for a single transaction that is larger.
    private static let groupBytesMax = 8 << 20

    private let lock = Lock()
    private let committer: Committer
    private var groups: [Group] = []
    private var isLed = false
    private var isClosed = false
    private var newest: StateView
    private var durable: StateView
    private var thread: WorkerThread?

    init(_ committer: Committer) {
        self.committer = committer
        newest = committer.durable
        durable = committer.durable
    }

    /// The newest state that is applied, and the newest that is durable.
    var newestView: StateView { lock.withLock { newest } }
    var durableView: StateView { lock.withLock { durable } }

    // MARK: - Callers

    /// Blocks until the request is durable or refused.
    func submit(_ request: CommitRequest) throws(StoreError) -> Receipt {
        lock.lock()
        guard let group = join(request) else {
            lock.unlock()
            throw Self.closed
        }
        if !isLed {
            isLed = true
            leadOldest()
            handOver()
        }
        while !group.isDone { group.condition.wait(lock) }
        lock.unlock()
        return try request.result!.get()
    }

    /// Suspends the task, not a thread, until the request is durable or refused.
    func submit(_ request: CommitRequest) async throws -> Receipt {
        try await withCheckedThrowingContinuation { continuation in
            request.continuation = continuation
            lock.lock()
            defer { lock.unlock() }
            guard join(request) != nil else { return continuation.resume(throwing: Self.closed) }
            if !isLed {
                isLed = true
                wakeThread()
            }
        }
    }

    /// Refuses all that comes from now on. What came before is still done.
    func refuseFurther() { lock.withLock { isClosed = true } }

    private static let closed = StoreError(.closed, "The store is closed", advice: "Open it again.")

    /// Puts a request into the group that gathers; `nil` if the queue is closed.
    private func join(_ request: CommitRequest) -> Group? {
        if isClosed, !request.isClosing { return nil }
        let byteCount = request.byteCountMax
        if groups.isEmpty || groups[groups.count - 1].byteCount + byteCount > Self.groupBytesMax {
            groups.append(Group())
        }
        let group = groups[groups.count - 1]
        group.requests.append(request)
        group.byteCount += byteCount
        return group
    }

    // MARK: - Leading (with `lock` held and `isLed` set)

    /// Takes the oldest group through a flush. Releases the lock meanwhile.
    private func leadOldest() {
        let group = groups.removeFirst()
        lock.unlock()
        let flush = committer.seal(group.requests)
        lock.withLock { newest = flush.view }
        committer.persist(flush)
        lock.lock()
        durable = committer.durable
        newest = committer.durable
        group.isDone = true
        group.condition.broadcast()
        for request in group.requests {
            request.continuation?.resume(with: request.result!.mapError { $0 as any Error })
        }
    }

    /// Lets the queue's own thread lead on, if there is anything to lead.
    private func handOver() {
        if groups.isEmpty { isLed = false } else { wakeThread() }
    }

    private func wakeThread() {
        if thread == nil { thread = WorkerThread { [unowned self] in self.leadOn() } }
        thread!.wake()
    }

    private func leadOn() {
        lock.lock()
        while !groups.isEmpty { leadOldest() }
        isLed = false
        lock.unlock()
    }
}
