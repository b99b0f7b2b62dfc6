import CommitLog
import StateTree
import Threading

/// Brings the requests of many callers into shared flushes (group commit), as a pipeline of two: while one flush is
/// written and synced, the next is open and admits.
///
/// Two roles are handed from thread to thread under `lock`. Who *holds the committer* admits what is pending: each
/// caller does so for its own request and those it finds there, so that applying happens beside the disk's work and
/// without waking anybody. Who *leads* closes the open flush, takes it to the disk and answers. A blocking caller who
/// finds nobody leading leads its own flush at once, on its own thread, so that a lone writer never waits for company
/// or for another thread. As soon as there is company the queue's own thread leads on until nobody waits. (Handing the
/// lead from caller to caller instead leaves the disk idle while the next leader waits for a core among all those just
/// woken.) Who admits the last one to the open flush hashes it while the disk is busy, where that pays (`HashingAhead`).
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only, but for `committer`, which is
/// touched only by who holds it, and `answers`, only by who leads.
final class CommitQueue: @unchecked Sendable {
    /// An open flush of this size is taken to the disk although nobody waits for it.
    private static let pressureBytes = 1 << 20

    private let lock = Lock()
    private let committer: Committer
    private let environment: Environment
    /// Not admitted yet, the oldest first.
    private var pending: [CommitRequest] = []
    private var isHeld = false
    private let isFree = Condition()
    private var waitingForCommitter = 0
    private var isLed = false
    /// Whether the open flush is to be taken to the disk.
    private var isFlushDue = false
    private var hashingAhead = HashingAhead()
    private var isClosed = false
    /// Those who wait for the flush that was taken to the disk last; kept between flushes for its memory.
    private var answers = Answers()
    /// The newest state that was frozen; `isBehind` if more was admitted since.
    private var newest: StateView?
    private var isBehind = false
    private var durable: StateView?
    private var durableAt: UInt64
    /// How many flushes more keep a view of the state at their end, as somebody has read. Without one, what they write is
    /// written in its place, and not copied.
    private var viewsWanted = 0
    private var leader: WorkerThread?
    private var ticker: Ticker?
    private var allocator: WorkerThread?

    init(_ committer: Committer, _ environment: Environment) {
        self.committer = committer
        self.environment = environment
        newest = committer.durableView
        durable = committer.durableView
        durableAt = committer.position.seq
    }

    // MARK: - States

    /// The state at the end of the newest flush that is closed, durable or not; a newer one where that is not kept.
    var newestView: StateView {
        let kept = lock.withLock {
            viewsWanted = environment.viewsKept
            return newest
        }
        return kept ?? appliedView(hashing: false)
    }

    /// The newest state that is durable. Where it is not kept, as nobody has read for long, waits until all that was
    /// admitted is durable; from then on it is kept.
    var durableView: StateView {
        let kept = lock.withLock {
            viewsWanted = environment.viewsKept
            return durable
        }
        if let kept { return kept }
        var shown: StateView!
        // Refused by no queue, and never failing.
        _ = try? submit(CommitRequest(.barrier { shown = $0.showDurable() }, isClosing: true))
        lock.withLock {
            // A flush may have become durable since.
            if durable == nil, durableAt == shown.sequence { durable = shown }
        }
        return shown
    }

    /// The sequence of the newest state that is durable.
    var durableSequence: UInt64 { lock.withLock { durableAt } }

    /// Where the log stands with all that is durable.
    func durableTip() throws(StoreError) -> LogTip {
        var tip: LogTip?
        _ = try submit(CommitRequest(.perform { tip = $0.position }))
        return tip!
    }
    /// Begins a new segment, unless the newest has no flush yet.
    func seal() throws(StoreError) {
        var failure: StoreError?
        let request = CommitRequest(
            .barrier { committer in
                do throws(StoreError) { try committer.beginSegment() } catch { failure = error }
            })
        _ = try submit(request)
        if let failure { throw failure }
    }

    /// The oldest generation of the tree that a view shows.
    var oldestGenerationOnShow: Int64 { committer.oldestGenerationOnShow }

    /// The state with all that is applied. Unless it is frozen already, waits while others hold the committer.
    func appliedView(hashing: Bool) -> StateView {
        lock.lock()
        defer { lock.unlock() }
        if let newest, !isBehind, !hashing || newest.tree.isHashed { return newest }
        hold()
        let view = committer.freeze(hashing: hashing)
        (newest, isBehind) = (view, false)
        admitPending(mayBlock: false)
        letGo()
        wakeLeaderIfNeeded()
        return view
    }

    // MARK: - Callers

    /// Blocks until the request is answered.
    func submit(_ request: CommitRequest) throws(StoreError) -> Receipt {
        request.completion = Completion()
        lock.lock()
        guard take(request, mayBlock: true) else {
            lock.unlock()
            throw Self.closed
        }
        if needsLeader, !isLed {
            if !request.completion.isAnswered {
                isLed = true
                // Without threads nobody else leads on.
                lead(untilIdle: !environment.usesThreads)
            }
            wakeLeaderIfNeeded()
        }
        lock.unlock()
        return try request.completion.wait().get()
    }

    /// Suspends the task, not a thread, until the request is answered.
    func submit(_ request: CommitRequest) async throws -> Receipt {
        try await withCheckedThrowingContinuation { continuation in
            request.completion = Completion(resuming: continuation)
            if !lock.withLock({ takeWithoutLeading(request) }) { continuation.resume(throwing: Self.closed) }
        }
    }

    /// Refuses all that comes from now on. What came before is still done.
    func refuseFurther() { lock.withLock { isClosed = true } }

    private static let closed = StoreError(.closed, "The store is closed", advice: "Open it again.")

    private func takeWithoutLeading(_ request: CommitRequest) -> Bool {
        guard take(request, mayBlock: false) else { return false }
        wakeLeaderIfNeeded()
        return true
    }

    /// Takes a request on, and admits it unless somebody else is about to; false if the queue is closed.
    private func take(_ request: CommitRequest, mayBlock: Bool) -> Bool {
        if isClosed, !request.isClosing { return false }
        pending.append(request)
        if !isHeld {
            isHeld = true
            admitPending(mayBlock: mayBlock)
            letGo()
        }
        return true
    }

    // MARK: - Holding the committer (all with `lock` held)

    private func hold() {
        waitingForCommitter += 1
        while isHeld { isFree.wait(lock) }
        waitingForCommitter -= 1
        isHeld = true
    }

    private func letGo() {
        isHeld = false
        if waitingForCommitter > 0 { isFree.signal() }
    }

    /// Admits what is pending, up to the first request that is postponed. Who does so for others gives way to those who
    /// wait for the committer: they go on with it. Releases the lock meanwhile.
    private func admitPending(mayBlock: Bool, givingWay: Bool = true) {
        repeat {
            admitOnce(mayBlock: mayBlock, givingWay: givingWay)
        } while hashAheadIfDue()
        if committer.isRoomDue { makeRoomAhead() }
    }

    private func admitOnce(mayBlock: Bool, givingWay: Bool) {
        var admitted = 0
        while admitted < pending.count, !(givingWay && waitingForCommitter > 0) {
            let request = pending[admitted]
            lock.unlock()
            let admission = committer.admit(request, mayBlock: mayBlock)
            let byteCount = committer.openByteCount
            lock.lock()
            if case .postponed = admission { break }
            admitted += 1
            note(request, admission, byteCount)
            guard case .done(let answer) = admission else { continue }
            // Not before it is noted: who is answered has to see what was admitted.
            lock.unlock()
            request.completion.give(answer)
            lock.lock()
        }
        pending.removeFirst(admitted)
    }

    /// Hashes the open flush if that pays; answers whether it did, and others may have come meanwhile.
    private func hashAheadIfDue() -> Bool {
        guard pending.isEmpty, waitingForCommitter == 0, hashingAhead.isDue(at: environment.now()) else { return false }
        lock.unlock()
        let start = environment.now()
        committer.hashAhead()
        let duration = environment.now().since(start)
        lock.lock()
        hashingAhead.noteHashed(in: duration)
        return true
    }

    private func note(_ request: CommitRequest, _ admission: Committer.Admission, _ byteCount: Int) {
        if case .done(.failure) = admission { return }
        isBehind = true
        if case .waiting = admission {
            isFlushDue = true
            hashingAhead.noteArrival()
        }
        if byteCount >= Self.pressureBytes { isFlushDue = true }
        guard case .async(let interval) = request.durability, environment.usesThreads else { return }
        if ticker == nil { ticker = Ticker(environment.pause) { [weak self] in self?.flushOpen() } }
        if !ticker!.tick(within: interval) { isFlushDue = true }
    }

    private func makeRoomAhead() {
        guard environment.usesThreads, let job = committer.makeRoomAhead else { return }
        if allocator == nil { allocator = WorkerThread(job) }
        allocator!.wake()
    }

    // MARK: - Leading (all with `lock` held and `isLed` set)

    /// Whether there is something for a leader to do: a flush that is due, or a request that waits for one to be closed.
    private var needsLeader: Bool { isFlushDue || !pending.isEmpty && !isHeld }

    /// Takes the open flush through, once or until nobody waits. Releases the lock meanwhile.
    private func lead(untilIdle: Bool) {
        hold()
        repeat {
            // Those who are answered now will come again, and admit what is pending while this flush is hashed.
            if !isFlushDue || answers.isEmpty { admitPending(mayBlock: true, givingWay: false) }
            guard isFlushDue || !pending.isEmpty else { break }
            let flush = close()
            let closedView = newest
            // Who needs no sync would wait for this one now.
            if pending.contains(where: { $0.durability != .sync }) { admitPending(mayBlock: false, givingWay: false) }
            letGo()
            let failure = persist(flush)
            if failure == nil, !flush.isEmpty {
                if let closedView, newest === closedView { newest = flush.view }
                (durable, durableAt) = (flush.view, flush.tip!.seq)
            }
            if failure == nil { flush.takeAnswers(into: &answers) }
            hold()
            committer.finish(flush, failure)
            if failure != nil {
                durable = committer.durableView
                (newest, isBehind) = (durable, false)
            }
        } while untilIdle
        letGo()
        lock.unlock()
        answers.give()
        lock.lock()
        isLed = false
    }

    /// Answers those who wait for the flush before, and takes a closed one to the disk. Releases the lock meanwhile.
    private func persist(_ flush: Flush) -> StoreError? {
        hashingAhead.noteClosed(answering: answers.requests.count)
        let isTimed = environment.usesThreads && !answers.isEmpty
        lock.unlock()
        // Only now, so that those who are woken do not keep the flush from the disk.
        answers.give()
        guard isTimed else {
            defer { lock.lock() }
            return committer.persist(flush)
        }
        let start = environment.now()
        committer.seal(flush)
        let sealed = environment.now()
        lock.withLock { hashingAhead.beginDisk(at: sealed, afterHashing: sealed.since(start)) }
        let failure = committer.persist(flush)
        let end = environment.now()
        lock.lock()
        hashingAhead.endDisk(at: end)
        return failure
    }

    private func close() -> Flush {
        isFlushDue = false
        if committer.needsViews { viewsWanted = environment.viewsKept }
        let keepsView = viewsWanted > 0
        if keepsView { viewsWanted -= 1 }
        lock.unlock()
        let flush = committer.close(keepsView: keepsView)
        lock.lock()
        if !flush.isEmpty { (newest, isBehind) = (flush.view, false) }
        return flush
    }

    private func wakeLeaderIfNeeded() {
        guard needsLeader, !isLed else { return }
        isLed = true
        if leader == nil { leader = WorkerThread { [weak self] in self?.leadOn() } }
        leader!.wake()
    }

    private func leadOn() {
        lock.lock()
        lead(untilIdle: true)
        wakeLeaderIfNeeded()
        lock.unlock()
    }

    /// Takes the open flush to the disk, on the ticker's thread.
    private func flushOpen() {
        lock.lock()
        isFlushDue = true
        if !isLed {
            isLed = true
            lead(untilIdle: true)
            wakeLeaderIfNeeded()
        }
        lock.unlock()
    }
}
