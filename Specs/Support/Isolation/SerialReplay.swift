import Rootfast

/// Whether transactions saw what they would have seen one after the other, in the order of their sequences:
///
/// (1) the commits have the sequences 1, 2, 3, …, each once;
/// (2) each read of a commit finds what the commits before it left, and its own changes;
/// (3) each view shows the state of its sequence;
/// (4) a transaction without effect, or one that only reads, saw one such state;
/// (5) nobody comes before, or sees less than, what was known when it began.
package struct SerialReplay {
    /// The state at each sequence.
    private var states = [ModelState()]

    /// Replays a history from the empty store on. Throws if it was not serial.
    ///
    /// - Returns: the state at its end.
    @discardableResult
    package static func check(_ history: [RecordedTransaction]) throws(UnmetExpectation) -> ModelState {
        var replay = SerialReplay()
        try replay.replayCommits(history)
        for transaction in history { try replay.checkReads(transaction) }
        return replay.states.last!
    }

    private mutating func replayCommits(_ history: [RecordedTransaction]) throws(UnmetExpectation) {
        let commits = history.compactMap { transaction -> (sequence: UInt64, RecordedTransaction)? in
            if case .committed(let sequence) = transaction.end { (sequence, transaction) } else { nil }
        }
        for (sequence, transaction) in commits.sorted(by: { $0.sequence < $1.sequence }) {
            try expectEqual(sequence, UInt64(states.count), "\(transaction.name): the sequence")
            try expect(
                sequence > transaction.knownBefore,
                "\(transaction.name) is commit \(sequence), and began after \(transaction.knownBefore) was known")
            var state = states.last!
            let mismatch = transaction.replay(on: &state)
            try expect(mismatch == nil, "\(transaction.name), commit \(sequence): \(mismatch!)")
            states.append(state)
        }
    }

    private func checkReads(_ transaction: RecordedTransaction) throws(UnmetExpectation) {
        let last = UInt64(states.count - 1)
        switch transaction.end {
        case .committed: return
        case .viewed(let sequence):
            try expect(
                sequence >= transaction.knownBefore,
                "\(transaction.name) views \(sequence), and began after \(transaction.knownBefore) was known")
            try expectMatch(transaction, sequence, sequence)
        case .changedNothing(let sequence): try expectMatch(transaction, transaction.knownBefore, sequence)
        case .withoutEffect: try expectMatch(transaction, transaction.knownBefore, last)
        }
    }

    /// Expects that one of these states explains all that the transaction saw.
    private func expectMatch(
        _ transaction: RecordedTransaction, _ from: UInt64, _ to: UInt64
    ) throws(UnmetExpectation) {
        try expect(from <= to && to < states.count, "\(transaction.name): no state from \(from) to \(to)")
        if (from...to).contains(where: { mismatch(transaction, at: $0) == nil }) { return }
        let other = states.indices.first { mismatch(transaction, at: UInt64($0)) == nil }
        try expect(
            false,
            "\(transaction.name), \(transaction.end), saw \(other.map { "the state \($0)" } ?? "no state that ever was"), "
                + "and none of \(from) to \(to); in the last, \(mismatch(transaction, at: to)!)")
    }

    private func mismatch(_ transaction: RecordedTransaction, at sequence: UInt64) -> String? {
        var state = states[Int(sequence)]
        return transaction.replay(on: &state)
    }
}
