import CommitLog
import StateTree

/// What the barrier of a snapshot takes hold of: the state at the end of a flush.
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
    /// How long it took to take hold of it, in microseconds.
    var barrierDuration: UInt64 = 0

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
    ///
    /// - Parameter sealsFirst: whether a new segment begins before, so that all of the log until now can go as whole files.
    init(
        _ queue: CommitQueue, after previous: SnapshotWriter.Previous, sealsFirst: Bool, isClosing: Bool,
        now: @escaping @Sendable () -> UInt64
    ) {
        take = { () throws(StoreError) in
            if sealsFirst { try queue.seal() }
            var result: Result<SnapshotBasis, StoreError>?
            var duration: UInt64 = 0
            let request = CommitRequest(
                .barrier { committer in
                    let start = now()
                    defer { duration = now().since(start) }
                    result = Result { () throws(StoreError) in
                        try committer.beginSnapshot(after: (previous.page, previous.longValue))
                    }
                }, isClosing: isClosing)
            _ = try queue.submit(request)
            let basis = try result!.get()
            basis.barrierDuration = duration
            return basis
        }
        // What came of a snapshot has to be known to the one that closing takes: so it is told while the store is closed too.
        settle = { basis in
            let count = basis.outcomes.count
            _ = try? queue.submit(CommitRequest(.perform { $0.noteSnapshot(outcomeCount: count) }, isClosing: true))
        }
        giveUp = { basis in
            let growth = basis.growth
            _ = try? queue.submit(CommitRequest(.perform { $0.addGrowth(growth) }, isClosing: true))
        }
    }
}

extension Committer {
    /// Takes hold of the state as it is. Requires a barrier; costs what is free in the tree, and touches no disk.
    ///
    /// - Parameter last: the last ids that the state file has given to a page and to a long value.
    func beginSnapshot(after last: (page: UInt64, longValue: UInt64)) throws(StoreError) -> SnapshotBasis {
        if let poison { throw poison }
        // Nothing is open and nothing under way, so the durable state is the newest.
        let view = showDurable().tree
        return SnapshotBasis(
            tip: position, unstored: machine.tree.unstoredPages(of: view, after: last),
            outcomes: machine.sealOutcomes(),
            inDoubt: machine.inDoubtInOrder.map { SnapshotRow.InDoubtRecord(n: $0.n, record: $0.record) },
            generation: view.generation ?? 0, growth: restartGrowth())
    }
}
