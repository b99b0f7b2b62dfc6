package import Rootfast

/// A planned transaction under way, to be taken on step by step and interleaved with others; it is tried once.
package final class TransactionRun {
    private let plan: TransactionPlan
    private let store: Store
    private let recorder: HistoryRecorder
    private var record: RecordedTransaction
    private let transaction: Transaction
    private let view: View
    private var next = 0
    private var hasVoted = false

    package init(_ plan: TransactionPlan, on store: Store, _ recorder: HistoryRecorder) throws {
        self.plan = plan
        self.store = store
        self.recorder = recorder
        record = recorder.begin(plan.name)
        transaction = try store.begin()
        view = store.view
    }

    /// Takes the next step; false once there is none left.
    package func advance() throws -> Bool {
        if hasVoted {
            recorder.end(record, try decide())
            return false
        }
        guard next < plan.operations.count else {
            try end()
            return hasVoted
        }
        let operation = plan.operations[next]
        next += 1
        let found = try plan.kind == .view ? view.perform(operation) : transaction.perform(operation)
        record.steps.append((operation, found))
        return true
    }

    private func end() throws {
        do {
            switch plan.kind {
            case .view: recorder.end(record, .viewed(view.sequence))
            case .abandoned: recorder.end(record, .withoutEffect)
            case .write: recorder.end(record, plan.end(try store.commit(transaction)))
            case .vote:
                _ = try store.prepare(transaction, id: plan.name)
                hasVoted = true
            }
        } catch  where error.isLoss {
            recorder.end(record, refused: error)
        }
    }

    private func decide() throws -> RecordedTransaction.End {
        if plan.kind == .vote(isCommitted: true) { return .committed(try store.commit(plan.name).sequence) }
        try store.abort(plan.name)
        return .withoutEffect
    }
}

extension TransactionPlan {
    /// What a receipt says of the transaction.
    package func end(_ receipt: Receipt) -> RecordedTransaction.End {
        let isReadOnly = operations.allSatisfy(\.isRead)
        return isReadOnly && kind == .write ? .changedNothing(receipt.sequence) : .committed(receipt.sequence)
    }
}

extension StoreError {
    /// Whether a transaction lost to another.
    package var isLoss: Bool {
        switch code {
        case .conflict, .lockedByInDoubt: true
        default: false
        }
    }
}
