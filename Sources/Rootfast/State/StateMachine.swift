import CommitLog
import Hashing
import StateTree

/// The state that the log's records make: the tree, the transactions in doubt with their locks, and the outcomes.
///
/// Commit and recovery both go through here, so that what is replayed is what was done. One thread at a time.
final class StateMachine {
    let tree: Tree
    private(set) var inDoubt: [[UInt8]: Voted] = [:]
    private(set) var locks = LockTable()
    private(set) var outcomes: OutcomeTable
    /// What a replay has still to apply.
    private var deferred: DeferredChanges
    /// Told when `tree.makeRoomAhead` has something to do, while a replay is settled.
    var onRoomDue: (() -> Void)?

    /// What a state is made with.
    struct Options {
        var kernel: HashKernel
        var outcomeCountMax = Rootfast.Options().outcomeCountMax
        var memoryBytesMax = Rootfast.Options().memoryBytesMax
        /// Where snapshots are kept; `nil` where there can be none.
        var file: StateFile?
    }

    /// The state of no commit.
    init(_ options: Options) {
        tree = Tree(kernel: options.kernel, store: options.file?.readers, budgetBytes: options.memoryBytesMax)
        outcomes = OutcomeTable(countMax: options.outcomeCountMax, options.file)
        deferred = DeferredChanges(memoryBytesMax: options.memoryBytesMax, forEmptyTree: true)
    }

    /// The state that a snapshot holds. Reads its root page.
    init(_ snapshot: SnapshotRow, in file: StateFile, _ options: Options) throws(StoreError) {
        tree = try StoreError.wrapping { () throws(PageError) in
            try Tree(snapshot.tree, in: file.readers, budgetBytes: options.memoryBytesMax, kernel: options.kernel)
        }
        outcomes = OutcomeTable(
            countMax: options.outcomeCountMax, file, storedCount: snapshot.outcomeCount)
        deferred = DeferredChanges(memoryBytesMax: options.memoryBytesMax, forEmptyTree: tree.count == 0)
        for item in snapshot.inDoubt {
            guard let voted = Voted(record: item.record), voted.n == item.n else {
                throw .damage(
                    "Snapshot \(snapshot.id) has a damaged record of a transaction in doubt", StateFile.name, nil)
            }
            vote(voted)
        }
    }

    func outcome(of id: [UInt8]) throws(StoreError) -> Outcome {
        if inDoubt[id] != nil { return .inDoubt }
        return try outcomes.outcome(of: id) ?? .unknown
    }

    /// The transactions in doubt, in the order of their votes.
    var inDoubtInOrder: [Voted] { inDoubt.values.sorted { $0.n < $1.n } }

    // MARK: - What a record does

    /// Brings the pages that a commit will change into memory, where they stay while `tree.reading` lasts: so that what
    /// can fail does so before anything is done.
    func load(_ changes: borrowing ChangeBytes) throws(PageError) {
        if isWorthLoading(changes) { _ = try lookUp(changes) }
    }

    /// The same, and answers whether `commit` may note what it overwrites.
    func loadNoting(_ changes: borrowing ChangeBytes) throws(PageError) -> Bool {
        let meetsNoLongValue = try lookUp(changes)
        return meetsNoLongValue && (0..<changes.count).allSatisfy { changes.value($0) != nil }
    }

    private func lookUp(_ changes: borrowing ChangeBytes) throws(PageError) -> Bool {
        var meetsNoLongValue = true
        for start in stride(from: 0, to: changes.count, by: Tree.lookUpCountMax) {
            let count = min(changes.count - start, Tree.lookUpCountMax)
            if try !tree.lookUp(count, { changes.key(start + $0) }) { meetsNoLongValue = false }
        }
        return meetsNoLongValue
    }

    /// A single key is found as fast without, where it cannot be missing.
    private func isWorthLoading(_ changes: borrowing ChangeBytes) -> Bool { changes.count > 1 || tree.isPaged }

    /// Requires that the changes were loaded.
    ///
    /// - Parameter overwritten: is told what the keys held before, where `loadNoting` allows it.
    func commit(
        _ changes: borrowing ChangeBytes, id: [UInt8]?, sequence: UInt64, noting overwritten: Overwritten? = nil
    ) {
        let areLookedUp = isWorthLoading(changes) && changes.count <= Tree.lookUpCountMax
        tree.applyLoaded(changes.count, areLookedUp: areLookedUp, noting: overwritten) {
            changes.key($0)
        } value: {
            changes.value($0)
        }
        if let id { outcomes.record(id, .committed(sequence: sequence)) }
    }

    func vote(_ voted: Voted) {
        inDoubt[voted.id] = voted
        locks.lock(voted)
    }

    /// Requires that `id` is in doubt and, if it is committed, that its changes were loaded. Returns what was in doubt.
    @discardableResult
    func decide(_ id: [UInt8], committedAt sequence: UInt64?, noting overwritten: Overwritten? = nil) -> Voted {
        let voted = release(id)
        if let sequence {
            commit(voted.changeBytes, id: id, sequence: sequence, noting: overwritten)
        } else {
            outcomes.record(id, .aborted)
        }
        return voted
    }

    /// Ends a doubt. Requires that there is one.
    private func release(_ id: [UInt8]) -> Voted {
        guard let voted = inDoubt.removeValue(forKey: id) else { preconditionFailure("not in doubt") }
        locks.unlock(voted)
        return voted
    }

    /// Takes a vote back, or a decision: see `Undo`. The tree is taken back by a view, or by what was overwritten.
    func undo(_ step: Undo) {
        switch step {
        case .outcome: outcomes.forgetLast()
        case .vote(let id): if let voted = inDoubt.removeValue(forKey: id) { locks.unlock(voted) }
        case .decision(let voted):
            outcomes.forgetLast()
            vote(voted)
        }
    }

    /// How to take a record back when its flush fails.
    enum Undo {
        case outcome
        case vote([UInt8])
        case decision(Voted)
    }

    func allOutcomes() throws(StoreError) -> [NumberedOutcome] { try outcomes.all() }
    func record(_ id: [UInt8], _ outcome: Outcome) { outcomes.record(id, outcome) }
    func trimOutcomes() { outcomes.trim() }
    func sealOutcomes() -> SealedOutcomes { outcomes.seal() }
    func noteOutcomesStored(_ count: UInt64) { outcomes.noteStored(count) }
}

// MARK: - Replay

extension StateMachine {
    /// Takes over the records of a sound flush; returns what is wrong with them together, if anything is. The tree may
    /// come to show their changes only with `settle`.
    func replay(_ flush: ParsedFlush) throws(PageError) -> String? {
        var unfinished: [ParsedRecord] = []
        for record in flush.records {
            let fault: String? =
                switch record.op {
                case .prepare where record.isVoted: replayVote(record, flush)
                case .prepare: replayPrepare(record, &unfinished)
                case .commit: replayCommit(record, flush, &unfinished)
                case .abort: replayAbort(record)
                }
            if let fault { return fault }
        }
        trimOutcomes()
        if deferred.isFull { try settle() }
        return unfinished.isEmpty ? nil : "a PREPARE without a vote has no COMMIT in its flush"
    }

    /// Makes room for what a log of so many bytes holds.
    func expectReplay(logBytes: Int) { deferred.reserve(logBytes: logBytes) }

    /// Applies what was replayed, the last change of each key, in the order of the keys.
    func settle() throws(PageError) {
        if tree.count == 0 {
            build(deferred.changes, deferred.order)
        } else {
            try settle(deferred.changes, deferred.order)
        }
        deferred.removeAll()
    }

    private func build(_ changes: borrowing ChangeBytes, _ order: [Int]) {
        tree.build(order.count) {
            changes.key(order[$0])
        } value: {
            changes.value(order[$0])
        } onRoomDue: {
            onRoomDue?()
        }
    }

    private func settle(_ changes: borrowing ChangeBytes, _ order: [Int]) throws(PageError) {
        for start in stride(from: 0, to: order.count, by: Tree.lookUpCountMax) {
            let group = order[start..<min(order.count, start + Tree.lookUpCountMax)]
            try tree.reading { () throws(PageError) in
                try tree.lookUp(group.count) { changes.key(group[start + $0]) }
                tree.applyLoaded(group.count, areLookedUp: true) {
                    changes.key(group[start + $0])
                } value: {
                    changes.value(group[start + $0])
                }
            }
            if tree.isRoomDue { onRoomDue?() }
        }
    }

    private func replayPrepare(_ record: ParsedRecord, _ unfinished: inout [ParsedRecord]) -> String? {
        if let fault = Self.faultInAnonymousID(of: record) { return fault }
        guard !unfinished.contains(where: { $0.txID.elementsEqual(record.txID) }) else {
            return "a transaction is prepared twice"
        }
        unfinished.append(record)
        return nil
    }

    private func replayVote(_ record: ParsedRecord, _ flush: ParsedFlush) -> String? {
        let id = Array(record.txID)
        guard inDoubt[id] == nil else { return "a transaction is prepared twice" }
        guard !AnonymousID.isReserved(id) else { return "a vote without an id of its own" }
        let changes = flush.changes[record.changes].map(\.copy)
        let reads = flush.reads[record.reads].map(\.copy)
        guard changes.allSatisfy({ locks.holder(againstWriting: $0.key) == nil }),
            reads.allSatisfy({ locks.holder(againstReading: $0) == nil })
        else { return "a vote on keys that are locked by another" }
        vote(Voted(id: id, n: record.n, timestamp: record.timestamp, changes: changes, reads: reads))
        return nil
    }

    private func replayCommit(
        _ record: ParsedRecord, _ flush: ParsedFlush, _ unfinished: inout [ParsedRecord]
    ) -> String? {
        if let index = unfinished.lastIndex(where: { $0.txID.elementsEqual(record.txID) }) {
            let prepare = unfinished.remove(at: index)
            guard !record.isResolved else { return "only a vote can be resolved" }
            for change in flush.changes[prepare.changes] {
                if !locks.isEmpty, locks.holder(againstWriting: Array(change.key)) != nil {
                    return "a commit of a key that is locked"
                }
                deferred.add(change.key, change.value)
            }
            if !AnonymousID.isReserved(prepare.txID) {
                outcomes.record(Array(record.txID), .committed(sequence: record.seq))
            }
            return nil
        }
        let id = Array(record.txID)
        guard inDoubt[id] != nil else { return "a COMMIT without its PREPARE" }
        deferred.add(release(id).changes)
        outcomes.record(id, .committed(sequence: record.seq))
        return nil
    }

    private func replayAbort(_ record: ParsedRecord) -> String? {
        let id = Array(record.txID)
        guard inDoubt[id] != nil else { return "an ABORT of a transaction that is not in doubt" }
        decide(id, committedAt: nil)
        return nil
    }

    private static func faultInAnonymousID(of record: ParsedRecord) -> String? {
        guard AnonymousID.isReserved(record.txID), !record.txID.elementsEqual(AnonymousID.make(n: record.n)) else {
            return nil
        }
        return "a tx_id that begins with ~ is not ~ and its n"
    }
}
