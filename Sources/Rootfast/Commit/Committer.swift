import CommitLog
import Hashing
import StateTree
import StrictJSON
import Threading

/// Turns requests into flushes: the commit path, from admission to durability.
///
/// A request is *admitted* to the open flush: checked, applied to the state and encoded. When the flush is *closed* the
/// state is frozen. Then it is *persisted*: the state is hashed once, and the flush is written and synced, while the next
/// one is open already and admits. If that fails the store is *poisoned*: the state goes back to the end of the flush
/// before, and nothing is written until the store is opened again.
///
/// The state at the end of a flush is *kept*, as a view, if somebody is likely to read it. If not, pages are written in
/// their place, and what they held is noted, to be put back if the flush fails.
///
/// One thread at a time may use a committer, but for `seal` and `persist`, which another may call beside it. At most one
/// flush is closed and not yet finished.
final class Committer {
    /// What came of an attempt to admit a request.
    enum Admission {
        case done(Result<Receipt, StoreError>)
        /// It is answered when the open flush is durable.
        case waiting
        /// It has to be tried again once the open flush is closed and durable.
        case postponed
    }

    let machine: StateMachine
    /// `nil` if the store is read only, or closed.
    private var writer: LogWriter?
    private let environment: Environment
    var open = Flush()
    /// Closed, and not yet finished.
    private var closed: Flush?
    private var spare = Flush()
    /// Held while a closed flush is sealed.
    private let sealing = Lock()
    /// Where the log stands with all that was admitted. The root and the chain are those of the last flush that is
    /// finished.
    var tip: LogTip
    /// Where the log stands with all that is durable, how many keys there are, and the state itself, where it is kept.
    private var durableTip: LogTip
    private(set) var durableKeyCount: Int
    private(set) var durableView: StateView?
    /// Whether the state at the end of the closed flush, if there is one, is kept.
    private var closedIsKept = true
    /// Whether views should be kept for a while: something came that cannot be taken back without.
    var needsViews = false
    private(set) var poison: StoreError?
    /// How far the store has gone on since its last snapshot, and who is told.
    var growth: Growth
    private var sequenceAtSnapshot: UInt64
    private var admissionCount = 0
    /// The last id that was made.
    var anonymousID: [UInt8] = []
    var watch: ((Growth) -> Void)?

    /// A flush that would take more bytes than this is closed, unless it is a single transaction that is larger.
    private static let flushBytesMax = 8 << 20

    /// - Parameter growth: since the last snapshot, which was at `sequenceAtSnapshot`.
    init(
        machine: StateMachine, tip: LogTip, writer: LogWriter?, environment: Environment, growth: Growth = Growth()
    ) {
        self.machine = machine
        self.growth = growth
        sequenceAtSnapshot = tip.seq - growth.commitCount
        self.writer = writer
        self.environment = environment
        self.tip = tip
        durableTip = tip
        durableView = StateView(tree: machine.tree.freeze(hashing: true), sequence: tip.seq)
        durableKeyCount = machine.tree.count
    }

    /// Where the log stands with all that is durable.
    var position: LogTip { durableTip }
    func outcome(of id: [UInt8]) throws(StoreError) -> Outcome { try machine.outcome(of: id) }
    var inDoubt: [Voted] { machine.inDoubtInOrder }
    var oldestGenerationOnShow: Int64 { machine.tree.oldestOnShow }
    var memoryBytes: Int { machine.tree.memoryBytes }
    /// How many bytes the open flush takes.
    var openByteCount: Int { open.recordByteCount }
    /// Whether room for the log, or memory for the state, should be made ahead; `makeRoomAhead` does, and may be called
    /// from any thread.
    var isRoomDue: Bool { machine.tree.isRoomDue || writer?.isRoomDue ?? false }
    var makeRoomAhead: (@Sendable () -> Void)? {
        guard let makeLogAhead = writer?.makeAhead else { return nil }
        let makeTreeAhead = machine.tree.makeRoomAhead
        return {
            makeTreeAhead()
            makeLogAhead()
        }
    }

    /// The state with all that was admitted. Costs O(1) without hashing, and then a copy of each page written next.
    func freeze(hashing: Bool) -> StateView {
        // States are hashed in their order.
        if hashing, let closed { seal(closed) }
        return StateView(tree: machine.tree.freeze(hashing: hashing), sequence: tip.seq)
    }

    /// The state that is durable. Requires that all that was admitted is.
    func showDurable() -> StateView {
        if let durableView { return durableView }
        precondition(isSettled)
        let view = StateView(tree: machine.tree.freeze(hashing: true), sequence: durableTip.seq)
        durableView = view
        return view
    }

    /// Where to note what is overwritten, if no view could bring it back.
    var noted: Overwritten? { durableView == nil || !closedIsKept ? open.overwritten : nil }

    // MARK: - A request

    /// Whether all that was admitted is durable.
    var isSettled: Bool { closed == nil && open.isEmpty && open.waiting.isEmpty }

    /// Whether an error tells what became of another transaction: that must be durable before anybody hears of it.
    private static func tellsOfAnother(_ error: StoreError) -> Bool {
        switch error.code {
        case .duplicateID, .alreadyDecided: true
        default: false
        }
    }

    /// - Parameter mayBlock: whether the disk may be waited for, where room is wanting.
    func admit(_ request: CommitRequest, mayBlock: Bool) -> Admission {
        if case .barrier(let body) = request.action {
            guard isSettled else { return .postponed }
            body(self)
            return .done(.success(.nothing))
        }
        if case .perform(let body) = request.action {
            body(self)
            return .done(.success(.nothing))
        }
        do throws(StoreError) {
            guard try makeRoom(for: request, mayBlock: mayBlock) else { return .postponed }
            tip.timestamp = max(tip.timestamp, min(environment.now(), RecordLimits.timestampEnd - 1))
            let sequence = try machine.tree.reading { () throws(StoreError) in try apply(request.action) }
            guard let sequence else { return .postponed }
            request.sequence = sequence
        } catch {
            return Self.tellsOfAnother(error) && !isSettled ? .postponed : .done(.failure(error))
        }
        admissionCount &+= 1
        if admissionCount % Self.admissionsPerLook == 0 { tellGrowth() }
        let isWaiting = request.durability == .sync
        open.add(request, isWaiting: isWaiting)
        return isWaiting ? .waiting : .done(.success(receipt(request.sequence)))
    }

    private static let admissionsPerLook = 16

    private func tellGrowth() {
        guard let watch else { return }
        growth.commitCount = tip.seq - sequenceAtSnapshot
        growth.keyCount = machine.tree.count
        growth.unstoredBytes = machine.tree.unstoredBytes
        watch(growth)
    }

    /// Begins to count anew; returns how far it had gone.
    func restartGrowth() -> Growth {
        defer {
            sequenceAtSnapshot = tip.seq
            growth = Growth()
            growth.keyCountBefore = machine.tree.count
            tellGrowth()
        }
        return growth
    }

    /// Takes `restartGrowth` back: the snapshot was not made.
    func addGrowth(_ earlier: Growth) {
        growth.logByteCount += earlier.logByteCount
        growth.changeCount += earlier.changeCount
        growth.keyCountBefore = earlier.keyCountBefore
        sequenceAtSnapshot -= earlier.commitCount
        tellGrowth()
    }

    /// What is known when a commit is applied and not yet durable.
    private func receipt(_ sequence: UInt64) -> Receipt {
        Receipt(
            sequence: sequence, root: durableTip.root, rootSequence: durableTip.seq,
            durableSequence: durableTip.seq)
    }

    /// Lack of room shows here, before anything is applied. Answers false if the request does not fit beside what the
    /// flush or the segment holds already, or if there is no room yet and the disk may not be waited for.
    private func makeRoom(for request: CommitRequest, mayBlock: Bool) throws(StoreError) -> Bool {
        if let poison { throw poison }
        guard let writer, request.byteCountMax > 0 else { return true }
        let byteCount = open.byteCountMax(with: request)
        if !open.isEmpty, byteCount > Self.flushBytesMax { return false }
        do throws(DiskError) {
            if writer.needsRotation(at: tip.offset, byteCount) {
                guard open.isEmpty, closed == nil, mayBlock else { return false }
                try rotate(writer)
            }
            guard mayBlock || writer.hasRoom(at: tip.offset, byteCount) else { return false }
            try writer.reserve(at: tip.offset, byteCount)
        } catch {
            let failure = StoreError(error)
            if failure.code != .noSpace { poison = Self.poisoned(by: failure) }
            throw poison ?? failure
        }
        return true
    }

    private func rotate(_ writer: LogWriter) throws(DiskError) {
        try writer.rotate(timestamp: tip.timestamp)
        durableTip = writer.tip
        tip = durableTip
    }

    /// Begins a new segment, unless the newest has no flush yet. Requires a barrier.
    func beginSegment() throws(StoreError) {
        if let poison { throw poison }
        guard let writer else { throw StoreError(.closed, "The store is closed", advice: "Open it again.") }
        guard !writer.isAtSegmentStart else { return }
        do throws(DiskError) {
            try rotate(writer)
        } catch {
            let failure = StoreError(error)
            if failure.code != .noSpace { poison = Self.poisoned(by: failure) }
            throw poison ?? failure
        }
    }

    /// Notes that a snapshot holds the outcomes up to this number.
    func noteSnapshot(outcomeCount: UInt64) {
        machine.noteOutcomesStored(outcomeCount)
        tellGrowth()
    }

    // MARK: - A flush

    /// Closes the open flush. Requires that the one before is finished.
    ///
    /// - Parameter keepsView: whether the state at its end is to be kept. If not, its pages are written in place.
    func close(keepsView: Bool) -> Flush {
        precondition(closed == nil)
        machine.trimOutcomes()
        let flush = open
        if flush.isEmpty {
            flush.close(empty: durableTip)
        } else {
            tip.synced = durableTip.n
            flush.close(tip, at: keepsView ? .view(freeze(hashing: false)) : .unseen(machine.tree.end()))
            tip.offset = flush.tip!.offset
            closedIsKept = keepsView
            needsViews = false
        }
        closed = flush
        open = spare
        open.reset()
        return flush
    }

    /// Seals, writes and syncs a closed flush; returns what failed. May run beside everything else.
    func persist(_ flush: Flush) -> StoreError? {
        // Before it is looked at, as somebody else may be sealing it.
        seal(flush)
        guard !flush.isEmpty else { return nil }
        do throws(DiskError) {
            try writer?.write(flush.buffer.bytes, endingAt: flush.tip!)
            try writer?.sync()
            return nil
        } catch {
            return StoreError(error)
        }
    }

    /// Hashes what was admitted so far, to have less to hash once the open flush is closed. Requires that the closed one
    /// is sealed.
    func hashAhead() { sealing.withLock { _ = machine.tree.root(of: machine.tree.end()) } }

    /// Hashes the state at the end of a closed flush, unless that is done. May run beside everything else.
    func seal(_ flush: Flush) {
        sealing.withLock {
            if !flush.isSealed { flush.seal(machine.tree) }
        }
    }

    /// Notes what came of a closed flush. If it failed, everybody who waits for it or for the open one is told.
    func finish(_ flush: Flush, _ failure: StoreError?) {
        closed = nil
        spare = flush
        if let failure { return fail(flush, failure) }
        guard !flush.isEmpty else { return }
        (durableView, durableKeyCount, closedIsKept) = (flush.view, flush.keyCount, true)
        durableTip = flush.tip!
        durableTip.synced = durableTip.n
        (tip.root, tip.chain) = (durableTip.root, durableTip.chain)
        growth.logByteCount += flush.buffer.count
        tellGrowth()
    }

    private func fail(_ flush: Flush, _ cause: StoreError) {
        let poison = Self.poisoned(by: cause)
        self.poison = poison
        if let durableView {
            machine.tree.revert(to: durableView.tree)
        } else {
            machine.tree.putBack(open.overwritten)
            machine.tree.putBack(flush.overwritten)
        }
        for step in open.undo.reversed() { machine.undo(step) }
        for step in flush.undo.reversed() { machine.undo(step) }
        let unknown = StoreError(
            .outcomeUnknown, "The transaction may or may not have become durable: \(cause.message)", at: cause.place,
            advice: "Open the store again and ask for the outcome of the transaction's id.")
        var answers = Answers()
        flush.takeAnswers(unknown, into: &answers)
        answers.give()
        open.takeAnswers(poison, into: &answers)
        answers.give()
        tip = durableTip
        open.reset()
        closedIsKept = true
        _ = showDurable()
    }

    private static func poisoned(by cause: StoreError) -> StoreError {
        StoreError(
            .poisoned, "Nothing is written since a write to the log failed: \(cause.message)", at: cause.place,
            advice: "Look at the disk, then open the store again.")
    }

    /// Cuts the log, notes its end and lets go of the disk, and with it of the folder's lock. The committer is done then.
    func shut() throws(DiskError) {
        defer { writer = nil }
        if poison == nil { try writer?.close() } else { writer?.letGo() }
    }
}
