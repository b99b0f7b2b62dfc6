import Rootfast

/// A transaction to be: made of choices, run by whoever likes.
package struct TransactionPlan: Sendable {
    package enum Kind: Hashable, Sendable {
        case write
        /// Two-phase, with its decision.
        case vote(isCommitted: Bool)
        /// Gives up before it commits.
        case abandoned
        /// Reads a view.
        case view
    }

    package var name: String
    package var kind: Kind
    package var operations: [Operation]

    /// Writes every other key of the space.
    package static func filling(_ keyCount: Int) -> TransactionPlan {
        TransactionPlan(
            name: "the first", kind: .write,
            operations: stride(from: 0, to: keyCount, by: 2).map { .put(key($0), Array("first \($0)".utf8)) })
    }

    package static func key(_ number: Int) -> [UInt8] {
        let digits = String(number)
        return Array(("k" + String(repeating: "0", count: 3 - digits.count) + digits).utf8)
    }
}

extension Choices {
    /// A transaction over a space of keys.
    package mutating func transactionPlan(_ name: String, keyCount: Int) -> TransactionPlan {
        let kind = pick(weighted: [
            (weight: 10, element: TransactionPlan.Kind.write), (4, .vote(isCommitted: true)),
            (1, .vote(isCommitted: false)), (1, .abandoned), (2, .view),
        ])
        var writeCount = 0
        let operations = array(1...6) { choices in
            let isRead = choices.below(2) == 0 || kind == .view
            if isRead { return choices.readOperation(keyCount) }
            writeCount += 1
            return choices.writeOperation(keyCount, "\(name).\(writeCount)")
        }
        return TransactionPlan(name: name, kind: kind, operations: operations)
    }

    private mutating func readOperation(_ keyCount: Int) -> Operation {
        if bool() { return .get(TransactionPlan.key(below(keyCount))) }
        let from = below(keyCount)
        let length = count(in: 1...keyCount)
        var range = ScanRange(
            from: oneIn(4) ? nil : TransactionPlan.key(from), to: oneIn(4) ? nil : TransactionPlan.key(from + length))
        range.isReversed = bool()
        range.limit = bool() ? nil : count(in: 0...8)
        return .scan(range)
    }

    /// The value is new most of the time; otherwise it may have been there before.
    private mutating func writeOperation(_ keyCount: Int, _ value: String) -> Operation {
        let key = TransactionPlan.key(below(keyCount))
        if oneIn(4) { return .delete(key) }
        return .put(key, Array((oneIn(6) ? pick(["x", "y"]) : value).utf8))
    }
}
