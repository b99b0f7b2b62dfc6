import CommitLog
import SQLite

/// The outcomes of transactions with an id of their own, the newest `countMax` of them: those decided since the last
/// snapshot in memory, the others in the state file.
struct OutcomeTable {
    private let countMax: Int
    private let file: StateFile?
    private var recent = Batch()
    /// What snapshots that are not durable yet have taken over, the oldest first.
    private var sealed: [Batch] = []
    /// How many outcomes there ever were, and how many of them, the first, the file has.
    private var totalCount: UInt64
    private var storedCount: UInt64

    private struct Batch {
        var outcomes: [[UInt8]: Outcome] = [:]
        /// The ids in the order in which they were decided, from `head` on.
        var order: [[UInt8]] = []
        var head = 0
    }

    /// - Parameter storedCount: how many the file has.
    init(countMax: Int, _ file: StateFile?, storedCount: UInt64 = 0) {
        self.countMax = countMax
        self.file = file
        self.storedCount = storedCount
        totalCount = storedCount
    }

    /// Costs a look at the state file if there is one and the id is not among the recent.
    func outcome(of id: [UInt8]) throws(StoreError) -> Outcome? {
        if let outcome = recent.outcomes[id] { return outcome }
        for batch in sealed.reversed() { if let outcome = batch.outcomes[id] { return outcome } }
        guard let file, storedCount > forgottenCount else { return nil }
        return try StoreError.wrapping { () throws(SQLiteError) in
            try file.outcome(of: id, after: forgottenCount, through: storedCount)
        }
    }

    /// How many, the first, are no longer kept.
    private var forgottenCount: UInt64 { totalCount > UInt64(countMax) ? totalCount - UInt64(countMax) : 0 }

    mutating func record(_ id: [UInt8], _ outcome: Outcome) {
        recent.outcomes[id] = outcome
        recent.order.append(id)
        totalCount += 1
    }

    /// Takes the last `record` back.
    mutating func forgetLast() {
        guard let id = recent.order.popLast() else { return }
        recent.outcomes[id] = nil
        totalCount -= 1
    }

    /// Lets go of what is older than is kept. Not part of `record`, so that `forgetLast` finds what it takes back.
    mutating func trim() {
        while recent.order.count - recent.head > countMax {
            recent.outcomes[recent.order[recent.head]] = nil
            recent.head += 1
        }
        if recent.head > 1024, recent.head * 2 > recent.order.count {
            recent.order.removeFirst(recent.head)
            recent.head = 0
        }
    }

    /// All that are kept, in the order of their numbers. Costs as many as there are.
    func all() throws(StoreError) -> [NumberedOutcome] {
        var all: [NumberedOutcome] = []
        if let file, storedCount > forgottenCount {
            all = try StoreError.wrapping { () throws(SQLiteError) in
                try file.outcomes(after: forgottenCount, through: storedCount)
            }
        }
        let batches = (sealed + [recent]).map { ($0.outcomes, $0.order[$0.head...]) }
        return all + SealedOutcomes(batches: batches, totalCount, forgottenCount).all
    }

    // MARK: - Snapshots

    /// Hands what is not in the file to a snapshot. O(1).
    mutating func seal() -> SealedOutcomes {
        sealed.append(recent)
        recent = Batch()
        return SealedOutcomes(batches: sealed.map { ($0.outcomes, $0.order[$0.head...]) }, totalCount, forgottenCount)
    }

    /// The file has all up to this number.
    mutating func noteStored(_ count: UInt64) {
        storedCount = count
        sealed.removeAll()
    }
}

/// Outcomes on their way to the state file.
struct SealedOutcomes {
    private let batches: [(outcomes: [[UInt8]: Outcome], order: ArraySlice<[UInt8]>)]
    /// The number of the last of them, and of the last that is no longer kept.
    let count: UInt64
    let forgottenCount: UInt64

    init(batches: [([[UInt8]: Outcome], ArraySlice<[UInt8]>)], _ count: UInt64, _ forgottenCount: UInt64) {
        self.batches = batches
        self.count = count
        self.forgottenCount = forgottenCount
    }

    /// All of them, in the order of their numbers.
    var all: [NumberedOutcome] {
        var number = count - UInt64(batches.reduce(0) { $0 + $1.order.count })
        var all: [NumberedOutcome] = []
        for (outcomes, order) in batches {
            for id in order {
                number += 1
                guard let outcome = outcomes[id] else { continue }
                all.append(NumberedOutcome(number: number, id: id, outcome: outcome))
            }
        }
        return all
    }
}
