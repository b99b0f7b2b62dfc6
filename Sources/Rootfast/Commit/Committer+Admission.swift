import CommitLog
import StateTree
import StrictJSON

/// The checks and the records of one request.
extension Committer {
    /// Checks one request against the state, and if it may be, applies and encodes it. Returns its sequence, or
    /// `nil` if it has to be tried again once all before it is durable.
    func apply(_ action: CommitRequest.Action) throws(StoreError) -> UInt64? {
        switch action {
        case .write(let proposal, let id): try admitWrite(proposal, id)
        case .prepare(let proposal, let id): try admitVote(proposal, id)
        case .decide(let id, let decision, let isResolved): try admitDecision(id, decision, isResolved)
        case .settle, .barrier, .perform: tip.seq
        }
    }

    private func admitWrite(_ proposal: Proposal, _ id: [UInt8]?) throws(StoreError) -> UInt64? {
        if let id { try checkUnused(id) }
        try validate(proposal)
        guard try load(proposal.changes) else { return nil }
        if id == nil { AnonymousID.write(n: tip.n + 1, into: &anonymousID) }
        let txID = id ?? anonymousID
        let (n, sequence, timestamp) = (tip.n + 2, tip.seq + 1, tip.timestamp)
        let open = open
        open.append { buffer in
            RecordEncoder.appendPrepare(
                n: n - 1, txID: txID, timestamp: timestamp, isVoted: false, data: proposal.data.bytes, to: &buffer)
            RecordEncoder.endRecord(to: &buffer)
            RecordEncoder.appendCommit(n: n, txID: txID, timestamp: timestamp, seq: sequence, to: &buffer)
        }
        (tip.n, tip.seq) = (n, sequence)
        machine.commit(proposal.changes, id: id, sequence: sequence, noting: noted)
        growth.changeCount += proposal.changes.count
        if id != nil { open.undo.append(.outcome) }
        return sequence
    }

    private func admitVote(_ proposal: Proposal, _ id: [UInt8]) throws(StoreError) -> UInt64 {
        try checkUnused(id)
        try validate(proposal)
        for read in proposal.readItems {
            if let holder = machine.locks.holder(againstReading: read) { throw Self.locked(by: holder) }
        }
        tip.n += 1
        open.append { buffer in
            RecordEncoder.appendPrepare(
                n: tip.n, txID: id, timestamp: tip.timestamp, isVoted: true, data: proposal.data.bytes,
                reads: proposal.reads.bytes, to: &buffer)
        }
        machine.vote(
            Voted(
                id: id, n: tip.n, timestamp: tip.timestamp, changes: proposal.changes.copies,
                reads: proposal.readItems))
        open.undo.append(.vote(id))
        return tip.seq
    }

    /// Deciding the same way again is harmless and writes nothing.
    private func admitDecision(
        _ id: [UInt8], _ decision: Decision, _ isResolved: Bool
    ) throws(StoreError) -> UInt64? {
        switch (try machine.outcome(of: id), decision) {
        case (.inDoubt, _): return try decide(id, decision, isResolved)
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

    private func decide(
        _ id: [UInt8], _ decision: Decision, _ isResolved: Bool
    ) throws(StoreError) -> UInt64? {
        if decision == .commit { guard try load(machine.inDoubt[id]!.changeBytes) else { return nil } }
        tip.n += 1
        switch decision {
        case .commit:
            tip.seq += 1
            open.append { buffer in
                RecordEncoder.appendCommit(
                    n: tip.n, txID: id, timestamp: tip.timestamp, isResolved: isResolved, seq: tip.seq, to: &buffer)
            }
            open.undo.append(.decision(machine.decide(id, committedAt: tip.seq, noting: noted)))
        case .abort(let reason):
            open.append { buffer in
                RecordEncoder.appendAbort(
                    n: tip.n, txID: id, timestamp: tip.timestamp, isResolved: isResolved, reason: Array(reason.utf8),
                    to: &buffer)
            }
            open.undo.append(.decision(machine.decide(id, committedAt: nil)))
        }
        return tip.seq
    }

    /// What cannot be read shows here, before anything is done. Answers false if the changes could not be taken back as
    /// things are, and some that were admitted are not durable yet.
    private func load(_ changes: borrowing ChangeBytes) throws(StoreError) -> Bool {
        do throws(PageError) {
            guard noted != nil else {
                try machine.load(changes)
                return true
            }
            if try machine.loadNoting(changes) { return true }
        } catch {
            throw StoreError(error)
        }
        needsViews = true
        guard isSettled else { return false }
        _ = showDurable()
        return true
    }

    private func checkUnused(_ id: [UInt8]) throws(StoreError) {
        let outcome = try machine.outcome(of: id)
        guard outcome == .unknown else {
            throw StoreError(
                .duplicateID(outcome),
                "The transaction id \(String(decoding: id, as: UTF8.self)) is taken by one that is \(outcome)",
                advice: "Use each id once.")
        }
    }

    /// What the transaction read must still be so, and nothing it writes may be locked.
    private func validate(_ proposal: Proposal) throws(StoreError) {
        if !machine.locks.isEmpty {
            for index in 0..<proposal.changes.count {
                let key = Array(proposal.changes.key(index))
                if let holder = machine.locks.holder(againstWriting: key) { throw Self.locked(by: holder) }
            }
        }
        guard let view = proposal.view, view.sequence != tip.seq else { return }
        let now = machine.tree.unpinned
        for read in proposal.readItems {
            let isChanged = try StoreError.wrapping { () throws(PageError) in
                try now.reading { () throws(PageError) in try Self.isChanged(read, from: view.tree, to: now) }
            }
            guard isChanged else { continue }
            throw StoreError(
                .conflict, "What the transaction read was changed by another commit", advice: "Run it again.")
        }
    }

    private static func isChanged(
        _ read: ReadItem, from before: TreeView, to now: TreeView
    ) throws(PageError) -> Bool {
        switch read {
        case .key(let key):
            return try key.withUnsafeBufferPointer { key throws(PageError) in
                let key = UnsafeRawBufferPointer(key)
                return switch (try before.value(for: key), try now.value(for: key)) {
                case (nil, nil): false
                case (let old?, let new?): !old.elementsEqual(new)
                default: true
                }
            }
        case .range(let from, let to):
            return try from.withUnsafeBufferPointer { from throws(PageError) in
                try (to ?? []).withUnsafeBufferPointer { end throws(PageError) in
                    try now.differs(
                        from: before, from: from.isEmpty ? nil : UnsafeRawBufferPointer(from),
                        to: to == nil ? nil : UnsafeRawBufferPointer(end))
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
