import Threading

/// Collects a list history from any threads and tasks.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only.
package final class ListRecorder: @unchecked Sendable {
    private let lock = Lock()
    private var transactions: [ListHistory.Transaction] = []
    private var time = 0
    private var lastNumber = 0
    private var openCount = 0
    private var reached = Reach()

    package init() {}

    package var history: ListHistory { lock.withLock { ListHistory(transactions) } }
    package var reach: Reach { lock.withLock { reached } }

    /// A number that nobody has appended.
    func nextNumber() -> Int {
        lock.withLock {
            lastNumber += 1
            return lastNumber
        }
    }

    func begin() -> ListHistory.Transaction {
        lock.withLock {
            time += 1
            openCount += 1
            if openCount > 1 { reached.count("began beside another") }
            return .init([], began: time)
        }
    }

    func end(_ transaction: ListHistory.Transaction, isCommitted: Bool) {
        lock.withLock {
            time += 1
            openCount -= 1
            var transaction = transaction
            transaction.ended = time
            transaction.isCommitted = isCommitted
            transactions.append(transaction)
            reached.count(isCommitted ? "committed" : "without effect")
            if isCommitted { noteShape(transaction) }
        }
    }

    private func noteShape(_ transaction: ListHistory.Transaction) {
        let keys = transaction.operations.compactMap { if case .append(let key, _) = $0 { key } else { nil } }
        if keys.isEmpty { reached.count("only reads") }
        if Set(keys).count < keys.count { reached.count("appends twice to a key") }
    }

    func count(_ what: String) { lock.withLock { reached.count(what) } }
}
