import Rootfast
import Threading

/// Collects what transactions of any threads and tasks did.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only.
package final class HistoryRecorder: @unchecked Sendable {
    private let lock = Lock()
    private var recorded: [RecordedTransaction] = []
    private var known: UInt64 = 0
    private var openCount = 0
    private var reached = Reach()

    package init() {}

    package var history: [RecordedTransaction] { lock.withLock { recorded } }
    package var reach: Reach { lock.withLock { reached } }

    package func begin(_ name: String) -> RecordedTransaction {
        lock.withLock {
            openCount += 1
            if openCount > 1 { reached.count("began beside another") }
            return RecordedTransaction(name, knownBefore: known)
        }
    }

    package func end(_ transaction: RecordedTransaction, _ end: RecordedTransaction.End) {
        lock.withLock {
            openCount -= 1
            switch end {
            case .committed(let sequence), .viewed(let sequence): known = max(known, sequence)
            case .changedNothing, .withoutEffect: break
            }
            var transaction = transaction
            transaction.end = end
            recorded.append(transaction)
            reached.count("\(end)".prefix { $0 != "(" }.description)
        }
    }

    /// Ends a transaction that was refused.
    package func end(_ transaction: RecordedTransaction, refused error: any Error) {
        end(transaction, .withoutEffect)
        guard let error = error as? StoreError else { return }
        lock.withLock {
            switch error.code {
            case .conflict:
                reached.count("conflict")
                if transaction.isConflictOfRange { reached.count("conflict of a range") }
            case .lockedByInDoubt: reached.count("locked by a vote")
            default: reached.count("\(error.code)")
            }
        }
    }

    package func count(_ what: String) { lock.withLock { reached.count(what) } }
}

extension RecordedTransaction {
    /// Whether it read ranges alone, so that a conflict can be of these only.
    fileprivate var isConflictOfRange: Bool {
        steps.allSatisfy { if case .get = $0.operation { false } else { true } }
    }
}
