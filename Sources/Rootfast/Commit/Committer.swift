import CommitLog
import Hashing
import StateTree
import StrictJSON

/// Turns requests into flushes: the commit path, from admission to durability. One thread at a time.
///
/// A flush goes through two steps. `seal` admits each request in turn, applies it, encodes its records, hashes once and
/// closes the flush. `persist` writes and syncs it. If that fails the store is *poisoned*: the state goes back to the
/// end of the flush before, and nothing is written until the store is opened again.
final class Committer {
    /// A flush that is encoded and applied, and not yet durable.
    struct SealedFlush {
        let requests: [CommitRequest]
        let view: StateView
        let tip: LogTip
        let isEmpty: Bool
    }

    private let machine: StateMachine
    /// `nil` if the store is read only, or closed.
    private var writer: LogWriter?
    private let environment: Environment
    private var buffer = ByteBuffer(capacity: 64 << 10)
    private var undo: [StateMachine.Undo] = []
    private var tip: LogTip
    /// The state at the end of the last durable flush.
    private(set) var durable: StateView
    private(set) var poison: StoreError?

    init(machine: StateMachine, tip: LogTip, writer: LogWriter?, environment: Environment) {
        self.machine = machine
        self.writer = writer
        self.environment = environment
        self.tip = tip
        durable = StateView(tree: machine.tree.freeze(hashing: true), sequence: tip.seq)
    }

    var position: LogTip { writer?.tip ?? tip }
    func outcome(of id: [UInt8]) -> Outcome { machine.outcome(of: id) }
    var inDoubt: [Voted] { machine.inDoubtInOrder }
    var memoryBytes: Int { machine.tree.memoryBytes }

    // MARK: - Sealing

    /// Applies what can be applied of a group of requests and closes the flush. Each request that cannot be gets its
    /// error; the others get theirs from `persist`.
    func seal(_ requests: [CommitRequest]) -> SealedFlush {
        tip = position
        let now = environment.now()
        tip.timestamp = max(tip.timestamp, min(now, RecordLimits.timestampEnd - 1))
        buffer.removeAll(keepingCapacity: true)
        undo.removeAll(keepingCapacity: true)
        if let failure = makeRoom(for: requests) {
            let others = requests.filter(\.isInspection)
            for request in requests where !request.isInspection { request.result = .failure(failure) }
            for request in others { request.result = .success(.nothing) }
            return SealedFlush(requests: others, view: durable, tip: tip, isEmpty: true)
        }
        tip.segment = position.segment
        tip.offset = position.offset
        let admitted = requests.filter { request in
            do throws(StoreError) {
                let sequence = try admit(request.action)
                request.result = .success(Receipt(sequence: sequence, root: .zero, rootSequence: 0))
                return true
            } catch {
                request.result = .failure(error)
                return false
            }
        }
        guard !buffer.isEmpty else { return SealedFlush(requests: admitted, view: durable, tip: tip, isEmpty: true) }
        return SealedFlush(requests: admitted, view: closeFlush(), tip: tip, isEmpty: false)
    }

    /// Lack of room shows here, before anything is applied.
    private func makeRoom(for requests: [CommitRequest]) -> StoreError? {
        if let poison { return poison }
        do throws(DiskError) {
            try writer?.reserve(requests.reduce(1024) { $0 + $1.byteCountMax }, timestamp: tip.timestamp)
            return nil
        } catch {
            let failure = StoreError(error)
            if failure.code != .noSpace { poison = Self.poisoned(by: failure) }
            return poison ?? failure
        }
    }

    private func closeFlush() -> StateView {
        let view = StateView(tree: machine.tree.freeze(hashing: true), sequence: tip.seq)
        tip.root = view.tree.root!
        RecordEncoder.appendFlushEnd(root: tip.root, synced: position.synced, to: &buffer)
        tip.chain = LogTip.chain(tip.chain, buffer.bytes)
        RecordEncoder.appendChain(tip.chain, to: &buffer)
        RecordEncoder.appendCRC(CRC32C.checksum(buffer.bytes), to: &buffer)
        tip.offset += buffer.count
        tip.synced = position.synced
        return view
    }

    // MARK: - Persisting

    /// Writes and syncs a sealed flush and completes its requests' results.
    func persist(_ flush: SealedFlush) {
        if !flush.isEmpty {
            do throws(DiskError) {
                try writer?.write(buffer.bytes, endingAt: flush.tip)
                try writer?.sync()
            } catch {
                return fail(flush, StoreError(error))
            }
            durable = flush.view
            machine.trimOutcomes()
        }
        for request in flush.requests {
            if case .inspect(let body) = request.action { body(self) }
        }
        let root = durable.tree.root!
        for request in flush.requests {
            guard case .success(var receipt) = request.result else { continue }
            receipt.root = root
            receipt.rootSequence = durable.sequence
            request.result = .success(receipt)
        }
    }

    private func fail(_ flush: SealedFlush, _ cause: StoreError) {
        poison = Self.poisoned(by: cause)
        machine.tree.revert(to: durable.tree)
        for step in undo.reversed() { machine.undo(step) }
        let unknown = StoreError(
            .outcomeUnknown, "The transaction may or may not have become durable: \(cause.message)", at: cause.place,
            advice: "Open the store again and ask for the outcome of the transaction's id.")
        for request in flush.requests {
            if case .inspect(let body) = request.action { body(self) } else { request.result = .failure(unknown) }
        }
    }

    private static func poisoned(by cause: StoreError) -> StoreError {
        StoreError(
            .poisoned, "Nothing is written since a write to the log failed: \(cause.message)", at: cause.place,
            advice: "Look at the disk, then open the store again.")
    }

    /// Cuts the log, notes its end and lets go of the disk, and with it of the folder's lock. The committer is done then.
    func close() throws(DiskError) {
        defer {
            tip = position
            writer = nil
        }
        if poison == nil { try writer?.close() }
    }
}

// MARK: - Admission

extension Committer {
    /// Checks one request against the state, and if it may be, applies and encodes it. Returns its sequence.
    private func admit(_ action: CommitRequest.Action) throws(StoreError) -> UInt64 {
        switch action {
        case .write(let proposal, let id): try admitWrite(proposal, id)
        case .prepare(let proposal, let id): try admitVote(proposal, id)
        case .decide(let id, let decision, let isResolved): try admitDecision(id, decision, isResolved)
        case .settle, .inspect: tip.seq
        }
    }

    private func admitWrite(_ proposal: Proposal, _ id: [UInt8]?) throws(StoreError) -> UInt64 {
        if let id { try checkUnused(id) }
        try validate(proposal)
        endRecord()
        let txID = id ?? AnonymousID.make(n: tip.n + 1)
        RecordEncoder.appendPrepare(
            n: tip.n + 1, txID: txID, timestamp: tip.timestamp, isVoted: false, data: proposal.data.bytes, to: &buffer)
        RecordEncoder.endRecord(to: &buffer)
        RecordEncoder.appendCommit(n: tip.n + 2, txID: txID, timestamp: tip.timestamp, seq: tip.seq + 1, to: &buffer)
        tip.n += 2
        tip.seq += 1
        machine.commit(proposal.changes, id: id, sequence: tip.seq)
        if id != nil { undo.append(.outcome) }
        return tip.seq
    }

    private func admitVote(_ proposal: Proposal, _ id: [UInt8]) throws(StoreError) -> UInt64 {
        try checkUnused(id)
        try validate(proposal)
        for read in proposal.readItems {
            if let holder = machine.locks.holder(againstReading: read) { throw Self.locked(by: holder) }
        }
        endRecord()
        tip.n += 1
        RecordEncoder.appendPrepare(
            n: tip.n, txID: id, timestamp: tip.timestamp, isVoted: true, data: proposal.data.bytes,
            reads: proposal.reads.bytes, to: &buffer)
        machine.vote(
            Voted(
                id: id, n: tip.n, timestamp: tip.timestamp, changes: proposal.changes, reads: proposal.readItems))
        undo.append(.vote(id))
        return tip.seq
    }

    /// Deciding the same way again is harmless and writes nothing.
    private func admitDecision(
        _ id: [UInt8], _ decision: Decision, _ isResolved: Bool
    ) throws(StoreError) -> UInt64 {
        switch (machine.outcome(of: id), decision) {
        case (.inDoubt, _): return decide(id, decision, isResolved)
        case (.committed(let sequence), .commit): return sequence
        case (.aborted, .abort): return tip.seq
        case (.unknown, _):
            throw StoreError(
                .unknownTransaction, "No transaction \(String(decoding: id, as: UTF8.self)) is in doubt",
                advice: "List the transactions in doubt; an outcome older than is kept is no longer known.")
        case (let outcome, _):
            throw StoreError(
                .alreadyDecided(outcome),
                "The transaction \(String(decoding: id, as: UTF8.self)) was decided the other way: it is \(outcome)")
        }
    }

    private func decide(_ id: [UInt8], _ decision: Decision, _ isResolved: Bool) -> UInt64 {
        endRecord()
        tip.n += 1
        switch decision {
        case .commit:
            tip.seq += 1
            RecordEncoder.appendCommit(
                n: tip.n, txID: id, timestamp: tip.timestamp, isResolved: isResolved, seq: tip.seq, to: &buffer)
            undo.append(.decision(machine.decide(id, committedAt: tip.seq)))
        case .abort(let reason):
            RecordEncoder.appendAbort(
                n: tip.n, txID: id, timestamp: tip.timestamp, isResolved: isResolved, reason: Array(reason.utf8),
                to: &buffer)
            undo.append(.decision(machine.decide(id, committedAt: nil)))
        }
        return tip.seq
    }

    private func endRecord() {
        if !buffer.isEmpty { RecordEncoder.endRecord(to: &buffer) }
    }

    private func checkUnused(_ id: [UInt8]) throws(StoreError) {
        let outcome = machine.outcome(of: id)
        guard outcome == .unknown else {
            throw StoreError(
                .duplicateID(outcome),
                "The transaction id \(String(decoding: id, as: UTF8.self)) is taken by one that is \(outcome)",
                advice: "Use each id once.")
        }
    }

    /// What the transaction read must still be so, and nothing it writes may be locked.
    private func validate(_ proposal: Proposal) throws(StoreError) {
        for change in proposal.changes {
            if let holder = machine.locks.holder(againstWriting: change.key) { throw Self.locked(by: holder) }
        }
        guard let view = proposal.view, view.sequence != tip.seq else { return }
        let now = machine.tree.unpinned
        for read in proposal.readItems where Self.isChanged(read, from: view.tree, to: now) {
            throw StoreError(
                .conflict, "What the transaction read was changed by another commit", advice: "Run it again.")
        }
    }

    private static func isChanged(_ read: ReadItem, from before: TreeView, to now: TreeView) -> Bool {
        switch read {
        case .key(let key):
            return key.withUnsafeBytes { key in
                switch (before.value(for: key), now.value(for: key)) {
                case (nil, nil): false
                case (let old?, let new?): !old.elementsEqual(new)
                default: true
                }
            }
        case .range(let from, let to):
            return from.withUnsafeBytes { from in
                (to ?? []).withUnsafeBytes { end in
                    now.differs(from: before, from: from.isEmpty ? nil : from, to: to == nil ? nil : end)
                }
            }
        }
    }

    private static func locked(by id: [UInt8]) -> StoreError {
        let id = String(decoding: id, as: UTF8.self)
        return StoreError(
            .lockedByInDoubt(id: id), "The transaction in doubt \(id) holds a lock on what this one writes or reads",
            advice: "Commit or abort \(id) first.")
    }
}
