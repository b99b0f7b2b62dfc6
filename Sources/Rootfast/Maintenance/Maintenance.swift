import CommitLog
import SQLite
import StateTree
import Threading

/// The upkeep of a store: snapshots, so that the log before them is needed no more; retention; and what is left of
/// interrupted runs.
///
/// A thread of its own does what is due, unless `Options.maintainsItself` is false: then the application calls `step`
/// when it likes. Nothing here makes writers wait, but for the barrier of a snapshot, and for memory: when more pages
/// have changed than `Options.memoryBytesMax` allows, writers are slowed until a snapshot has caught up.
///
/// `@unchecked Sendable`, because `place`, `current`, `previous` and `generations` are touched with `work` held
/// only, and `shared` and `thread` under `lock`.
public final class Maintenance: @unchecked Sendable {
    let queue: CommitQueue
    let options: Options
    let environment: Environment
    /// Where the snapshots are and the log; `nil` where there can be no snapshots, and once the store is closed.
    var place: Place?
    let work = Lock()
    let lock = Lock()
    private let caughtUp = Condition()
    var current: Work?
    private(set) var previous: SnapshotWriter.Previous
    /// The snapshots taken since the store was opened, with the generation of the tree at which each was taken.
    private var generations: [(id: UInt64, generation: Int64)] = []
    var shared = Shared()
    private var thread: WorkerThread?

    struct Place {
        let file: StateFile
        let disk: any Disk
        var isReadOnly = false
    }

    enum Work {
        case snapshot(SnapshotWriter)
        case retention(RetentionRun)
    }

    struct Shared {
        var growth = Growth()
        var statistics = MaintenanceStatistics()
        var worksByItself = false
        var isPaused = false
        var isEnding = false
        var pinnedSnapshots: [UInt64: Int] = [:]
        var pinnedSegments: [UInt64: Int] = [:]
        /// Set when a snapshot was taken: retention is due at once.
        var retentionIsDue = true
        var lastRetentionAt: UInt64 = 0
        /// Whether the thread was woken for what is due.
        var isCalled = false
        var wasBehind = false
        var lastSnapshotAt: UInt64 = 0
        /// After a failure nothing is tried before this time.
        var retryAt: UInt64 = 0
    }

    init(
        _ queue: CommitQueue, _ place: Place?, _ options: Options, _ environment: Environment,
        previous: SnapshotWriter.Previous
    ) {
        self.queue = queue
        self.place = place
        self.options = options
        self.environment = environment
        self.previous = previous
        shared.lastSnapshotAt = environment.now()
    }

    /// Begins to work by itself.
    func start() {
        guard environment.usesThreads, options.maintainsItself, let place = work.withLock({ place }) else { return }
        lock.withLock { shared.worksByItself = true }
        // A store that has never grown needs no thread yet.
        let hasSnapshots = (try? Store.exists(StateFile.name, on: place.disk)) ?? true
        if hasSnapshots || options.compaction.interval != nil { wake() }
    }

    /// Wakes the thread that works by itself; makes it if need be.
    func wake() {
        let thread: WorkerThread? = lock.withLock {
            guard shared.worksByItself, !shared.isEnding else { return nil }
            if self.thread == nil {
                self.thread = WorkerThread(every: Self.restNanoseconds) { [weak self] in self?.workOn() }
            }
            return self.thread
        }
        thread?.wake()
    }

    /// Where nothing calls for it, a look is taken this often.
    private static let restNanoseconds: UInt64 = 1_000_000_000
    private static let pauseAfterFailure: UInt64 = 2_000_000
    /// In microseconds.
    private static let retentionInterval: UInt64 = 60_000_000
    /// The longest rest between two steps, in microseconds.
    private static let restMax: UInt64 = 50_000

    /// Interrupts what is under way, and does nothing from then on but what `close` asks for.
    func end() {
        lock.withLock {
            shared.isEnding = true
            thread = nil
        }
        caughtUp.broadcast()
        work.withLock {
            if case .snapshot(let writer) = current { writer.abandon() }
            current = nil
        }
    }

    /// Lets go of the disk, and with it of the folder's lock.
    func letGo() {
        work.withLock {
            place?.file.close()
            place = nil
        }
    }

    /// The thread's job. It gives way to everybody else: its share of the processor is what others leave, and it rests
    /// twice as long as it works.
    private func workOn() {
        WorkerThread.giveWay()
        while !lock.withLock({ shared.isPaused || shared.isEnding || environment.now() < shared.retryAt }) {
            do throws(StoreError) {
                let start = environment.now()
                guard try step() else { return }
                let worked = environment.now().since(start)
                if !isBehind { environment.pause(min(2 * worked, Self.restMax) * 1000) }
            } catch {
                let retryAt = environment.now() + Self.pauseAfterFailure
                lock.withLock { shared.retryAt = retryAt }
                return
            }
        }
    }

    // MARK: - Steps

    /// Does a part of what is due, some milliseconds of work, on the calling thread; false if nothing is.
    ///
    /// - Throws: `noSpace`, `inputOutput`, `corrupt`; what was interrupted leaves the store as it was and is tried again.
    @discardableResult
    public func step() throws(StoreError) -> Bool {
        try work.withLock { () throws(StoreError) in
            guard let place, !lock.withLock({ shared.isEnding }) else { return false }
            if current == nil { current = try dueWork(place) }
            guard current != nil else { return false }
            try advance()
            return true
        }
    }

    private func dueWork(_ place: Place) throws(StoreError) -> Work? {
        // Retention comes after each snapshot, however soon the next is due: else it would never come under load.
        if retentionIsDue, try Store.exists(StateFile.name, on: place.disk) { return .retention(makeRun(place)) }
        return dueSnapshot.map { .snapshot(makeWriter(place, $0, isClosing: false)) }
    }

    /// After a snapshot, and now and then, as grace times and ages pass by themselves.
    private var retentionIsDue: Bool {
        let now = environment.now()
        return lock.withLock { shared.retentionIsDue || now >= shared.lastRetentionAt + Self.retentionInterval }
    }

    private var dueSnapshot: SnapshotReason? {
        let (growth, lastAt) = lock.withLock { (shared.growth, shared.lastSnapshotAt) }
        if growth.unstoredBytes > options.memoryBytesMax / 2, growth.commitCount > 0 { return .memory }
        if options.compaction.due(growth) { return .compaction }
        if let interval = options.compaction.interval, growth.commitCount > 0,
            environment.now() >= lastAt + interval.microseconds
        {
            return .compaction
        }
        return nil
    }

    /// Takes the current work a step on. With `work` held.
    func advance() throws(StoreError) {
        do throws(StoreError) {
            switch current {
            case .snapshot(let writer): if try !writer.step() { finish(writer) }
            case .retention(let run): if try !run.step() { finish(run) }
            case nil: break
            }
        } catch {
            // A retention that fails is tried again when it is due by time, or after the next snapshot: it must not keep
            // snapshots from being taken.
            if case .retention = current { noteRetention() }
            current = nil
            lock.withLock {
                shared.statistics.failureCount += 1
                shared.statistics.lastError = error
            }
            throw error
        }
    }

    func makeWriter(_ place: Place, _ reason: SnapshotReason, isClosing: Bool) -> SnapshotWriter {
        SnapshotWriter(
            place.file, place.disk, after: previous, reason, now: environment.now,
            .init(
                queue, after: previous, sealsFirst: reason == .hand || reason == .compaction, isClosing: isClosing,
                now: environment.now))
    }

    private func finish(_ writer: SnapshotWriter) {
        current = nil
        guard let row = writer.row else { return }
        previous = SnapshotWriter.Previous(row)
        generations.append((row.id, writer.generation))
        lock.withLock {
            shared.statistics.add(writer.report)
            shared.retentionIsDue = true
            shared.lastSnapshotAt = environment.now()
        }
        caughtUp.broadcast()
    }

    func makeRun(_ place: Place) -> RetentionRun {
        RetentionRun(place.file, place.disk, droppedUpTo: newestUnseen()) { [unowned self] () throws(StoreError) in
            try plan(place)
        }
    }

    private func finish(_ run: RetentionRun) {
        current = nil
        noteRetention()
        lock.withLock { shared.statistics.add(run.decisions) }
    }

    private func noteRetention() {
        let now = environment.now()
        lock.withLock { (shared.retentionIsDue, shared.lastRetentionAt) = (false, now) }
    }

    /// The newest snapshot such that no view of this store shows pages that were dropped up to it.
    private func newestUnseen() -> UInt64 {
        let oldest = queue.oldestGenerationOnShow
        while generations.count > 1, generations[1].generation <= oldest { generations.removeFirst() }
        guard let first = generations.first else { return previous.id }
        return first.generation <= oldest ? first.id : first.id - 1
    }

    func plan(_ place: Place) throws(StoreError) -> RetentionPlan {
        let file = place.file
        let (snapshots, catalogue) = try StoreError.wrapping { () throws(SQLiteError) in
            try file.readers.read { connection throws(SQLiteError) in
                (try file.summaries(connection), try file.segments(connection))
            }
        }
        let present = Set(try Replay.segmentNumbers(on: place.disk))
        let sequence = queue.durableSequence
        let now = environment.now()
        return lock.withLock {
            RetentionPlan(
                retention: options.retention, snapshots: snapshots,
                segments: catalogue.filter { present.contains($0.number) }, now: now, sequence: sequence,
                pinnedSnapshots: Set(shared.pinnedSnapshots.keys), pinnedSegmentsFrom: shared.pinnedSegments.keys.min())
        }
    }

    /// What there is, as retention sees it; `nil` if there is no state file.
    func withPlan<R>(_ body: (RetentionPlan?) -> R) throws(StoreError) -> R {
        try work.withLock { () throws(StoreError) in
            guard let place else { throw Self.closed }
            guard try Store.exists(StateFile.name, on: place.disk) else { return body(nil) }
            return body(try plan(place))
        }
    }

    var currentGrowth: Growth { lock.withLock { shared.growth } }

    // MARK: - Growth

    /// Told by the committer how the store grows; wakes the thread if something is due.
    func note(_ growth: Growth) {
        lock.lock()
        shared.growth = growth
        let isDue = options.compaction.due(growth) || growth.unstoredBytes > options.memoryBytesMax / 2
        let callsForWork = isDue && !shared.isCalled
        shared.isCalled = isDue
        let isBehind = growth.unstoredBytes > memoryBehind
        let hasCaughtUp = shared.wasBehind && !isBehind
        shared.wasBehind = isBehind
        lock.unlock()
        if callsForWork { wake() }
        if hasCaughtUp { caughtUp.broadcast() }
    }

    /// Writers are slowed from here on.
    private var memoryBehind: Int { options.memoryBytesMax / 4 * 3 }
    private static let patienceNanoseconds: UInt64 = 100_000_000

    /// Slows a writer where memory is full of pages that no snapshot holds yet: it waits for the next snapshot, but no
    /// longer than a tenth of a second.
    func slowDown() {
        guard isBehind else { return }
        lock.lock()
        if isBehindLocked { caughtUp.wait(lock, nanoseconds: Self.patienceNanoseconds) }
        lock.unlock()
    }

    /// The same, for a task.
    func slowDown() async throws {
        var left = Self.patienceNanoseconds / 5_000_000
        while left > 0, isBehind {
            try await Task.sleep(nanoseconds: 5_000_000)
            left -= 1
        }
    }

    private var isBehind: Bool { lock.withLock { isBehindLocked } }
    private var isBehindLocked: Bool {
        shared.worksByItself && !shared.isPaused && shared.growth.unstoredBytes > memoryBehind
    }
}
