/// Transactions over lists of numbers, as their callers saw them: each appends numbers that nobody else appends, and
/// reads whole lists. From what was read follows in which order the numbers were appended (`AppendOrder`).
package struct ListHistory: Sendable {
    package enum Operation: Hashable, Sendable {
        case read(key: String, list: [Int])
        case append(key: String, number: Int)
    }

    package struct Transaction: Sendable {
        package var operations: [Operation]
        /// Otherwise it is known to have had no effect.
        package var isCommitted: Bool
        /// When its caller began it and knew its end, on a clock of which each moment is another.
        package var began: Int
        package var ended: Int

        package init(_ operations: [Operation], isCommitted: Bool = true, began: Int = 0, ended: Int = .max) {
            self.operations = operations
            self.isCommitted = isCommitted
            self.began = began
            self.ended = ended
        }
    }

    package var transactions: [Transaction]

    package init(_ transactions: [Transaction]) { self.transactions = transactions }

    /// All that no order of the transactions explains: first what single reads show, and if these are sound the cycles.
    package var anomalies: [Anomaly] {
        let order = AppendOrder(self)
        return order.anomalies.isEmpty ? DependencyGraph(self, order).anomalies : order.anomalies
    }
}

extension ListHistory.Transaction {
    /// What it read that others did: each list without what it had appended itself.
    var outerReads: [(key: String, list: [Int])] {
        var appended: [String: Int] = [:]
        return operations.compactMap { operation in
            switch operation {
            case .read(let key, let list): return (key, list.dropLast(appended[key] ?? 0))
            case .append(let key, _):
                appended[key, default: 0] += 1
                return nil
            }
        }
    }
}

/// Something that serializable transactions do not do, by its name in the literature (Adya; Kingsbury's Elle).
package struct Anomaly: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable {
        /// A transaction does not see its own append, or its own reads contradict each other.
        case internalRead = "internal"
        /// A number stands twice in a list, or nobody appended it.
        case strayNumber = "stray number"
        /// Two reads of a list have no common order.
        case incompatibleOrder = "incompatible order"
        /// A read of what was aborted.
        case g1a = "G1a"
        /// A read of what its transaction had not finished.
        case g1b = "G1b"
        /// A cycle of writes.
        case g0 = "G0"
        /// A cycle of writes and reads of them.
        case g1c = "G1c"
        /// A cycle with one read that missed a write.
        case gSingle = "G-single"
        /// A cycle with several reads that missed a write: write skew.
        case g2 = "G2"
    }

    package var kind: Kind
    /// Whether it takes the order in time to see that it is one.
    package var isOfTime = false
    package var story: String

    package var description: String { kind.rawValue + (isOfTime ? " in time" : "") + ": " + story }
}
