import CommitLog
import Hashing
import SQLite
import StateTree
import StrictJSON

/// Writes a new store that begins with a given state: a state file with one snapshot, and a log with one empty segment
/// that goes on from there.
///
/// The copy has a uuid of its own, and so a chain of its own; sequences and record numbers go on from the original's.
struct StoreCopy {
    let disk: any Disk
    let store: StoreID
    private let machine: StateMachine
    private let file: StateFile
    private let environment: Environment
    private let memoryBytesMax: Int
    private var previous = SnapshotWriter.Previous()

    /// - Parameter disk: an empty folder.
    init(
        _ disk: any Disk, _ store: StoreID, memoryBytesMax: Int, _ environment: Environment
    ) throws(StoreError) {
        self.disk = disk
        self.store = store
        self.environment = environment
        self.memoryBytesMax = memoryBytesMax
        file = StateFile(on: disk, store: store, .readWrite)
        var options = StateMachine.Options(kernel: environment.kernel)
        options.outcomeCountMax = .max
        options.memoryBytesMax = memoryBytesMax
        options.file = file
        machine = StateMachine(options)
    }

    /// Adds a key, which must not be there.
    mutating func add(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(StoreError) {
        try StoreError.wrapping { () throws(PageError) in try machine.tree.put(key, value) }
        guard machine.tree.count % 1024 == 0, machine.tree.unstoredBytes > memoryBytesMax / 2 else { return }
        try takeSnapshot(at: nil)
    }

    /// Adds the outcomes of the original, the oldest first.
    func add(_ outcomes: [NumberedOutcome]) {
        for item in outcomes { machine.record(item.id, item.outcome) }
    }

    /// Ends the copy: its root and where it stands are those of `tip`, its chain begins anew. The store is there, closed,
    /// once this returns.
    mutating func finish(at original: LogTip, inDoubt: [Voted]) throws(StoreError) -> LogTip {
        for voted in inDoubt { machine.vote(voted) }
        let tip = LogTip(
            store: store, segment: 0, offset: 0, n: original.n, seq: original.seq, root: machine.tree.root(),
            chain: LogTip.firstChain(store), timestamp: original.timestamp)
        try takeSnapshot(at: tip.atNextSegment)
        let id = previous.id
        // Those taken on the way are of no use.
        for summary in try wrapping({ connection throws(SQLiteError) in try file.summaries(connection) })
        where summary.id != id {
            try StoreError.wrapping { () throws(SQLiteError) in try file.removeSnapshot(summary.id) }
        }
        while try StoreError.wrapping({ () throws(SQLiteError) in
            try file.reclaim(countMax: 10_000, droppedUpTo: id)
        }) {}
        try StoreError.wrapping { () throws(SQLiteError) in
            while try file.giveBackSpace(pageCountMax: 10_000) {}
            file.checkpoint()
        }
        file.close()
        return try StoreError.wrapping { () throws(DiskError) in
            let begun = try LogWriter.create(disk, tip)
            let writer = try LogWriter(
                disk, at: begun, firstOffset: begun.offset, options: .init(segmentBytesMax: 64 << 20))
            try writer.close()
            return begun
        }
    }

    private func wrapping<R>(_ body: (Connection) throws(SQLiteError) -> R) throws(StoreError) -> R {
        try StoreError.wrapping { () throws(SQLiteError) in try file.write(body) }
    }

    /// - Parameter tip: where the copy stands; `nil` on the way there.
    private mutating func takeSnapshot(at tip: LogTip?) throws(StoreError) {
        let view = machine.tree.freeze(hashing: true)
        let tip =
            tip
            ?? LogTip(
                store: store, segment: 1, offset: 0, n: 0, seq: 0, root: view.root!,
                chain: LogTip.firstChain(store), timestamp: 0)
        let basis = SnapshotBasis(
            tip: tip, unstored: machine.tree.unstoredPages(of: view, after: (previous.page, previous.longValue)),
            outcomes: machine.sealOutcomes(),
            inDoubt: machine.inDoubtInOrder.map { .init(n: $0.n, record: $0.record) },
            generation: view.generation ?? 0, growth: Growth())
        let machine = machine
        let barrier = SnapshotWriter.Barrier(
            take: { () throws(StoreError) in basis },
            settle: { machine.noteOutcomesStored($0.outcomes.count) }, giveUp: { _ in })
        let writer = SnapshotWriter(file, disk, after: previous, .hand, now: environment.now, barrier)
        while try writer.step() {}
        previous = SnapshotWriter.Previous(writer.row!)
    }
}
