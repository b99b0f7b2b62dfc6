import CommitLog
import StateTree

/// What the barrier of a snapshot takes hold of: the state at the end of a flush, where a new segment begins.
///
/// `@unchecked Sendable`, because it is handed from whoever holds the committer to maintenance, and used there alone.
final class SnapshotBasis: @unchecked Sendable {
    let tip: LogTip
    let unstored: UnstoredPages
    let outcomes: SealedOutcomes
    let inDoubt: [SnapshotRow.InDoubtRecord]
    let generation: Int64
    /// How far the store had gone on since the snapshot before.
    let growth: Growth

    init(
        tip: LogTip, unstored: UnstoredPages, outcomes: SealedOutcomes, inDoubt: [SnapshotRow.InDoubtRecord],
        generation: Int64, growth: Growth
    ) {
        self.tip = tip
        self.unstored = unstored
        self.outcomes = outcomes
        self.inDoubt = inDoubt
        self.generation = generation
        self.growth = growth
    }
}

extension SnapshotWriter.Barrier {
    /// The barrier of a store that is being written.
    init(_ queue: CommitQueue, after previous: SnapshotWriter.Previous, isClosing: Bool) {
        take = { () throws(StoreError) in
            var result: Result<SnapshotBasis, StoreError>?
            let request = CommitRequest(
                .barrier { committer in
                    result = Result { () throws(StoreError) in
                        try committer.beginSnapshot(after: (previous.page, previous.longValue))
                    }
                }, isClosing: isClosing)
            _ = try queue.submit(request)
            return try result!.get()
        }
        settle = { basis in
            let count = basis.outcomes.count
            _ = try? queue.submit(CommitRequest(.perform { $0.noteSnapshot(outcomeCount: count) }, isClosing: isClosing))
        }
        giveUp = { basis in
            let growth = basis.growth
            _ = try? queue.submit(CommitRequest(.perform { $0.addGrowth(growth) }, isClosing: isClosing))
        }
    }
}

extension Committer {
    /// Begins a new segment and takes hold of the state there. Requires a barrier.
    ///
    /// - Parameter last: the last ids that the state file has given to a page and to a long value.
    func beginSnapshot(after last: (page: UInt64, longValue: UInt64)) throws(StoreError) -> SnapshotBasis {
        try beginSegment()
        // Nothing is open and nothing under way, so the durable state is the newest.
        let view = durable.tree
        return SnapshotBasis(
            tip: tipBeforeSegment, unstored: machine.tree.unstoredPages(of: view, after: last),
            outcomes: machine.sealOutcomes(),
            inDoubt: machine.inDoubtInOrder.map { SnapshotRow.InDoubtRecord(n: $0.n, record: $0.record) },
            generation: view.generation ?? 0, growth: restartGrowth())
    }

    /// Where the log stood before the newest segment.
    private var tipBeforeSegment: LogTip {
        LogTip(
            store: position.store, beforeSegment: position.segment, n: position.n, seq: position.seq,
            root: position.root, chain: position.chain, timestamp: position.timestamp)
    }
}
