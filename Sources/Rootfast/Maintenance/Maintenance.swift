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
    private var place: Place?
    private let work = Lock()
    private let lock = Lock()
    private let caughtUp = Condition()
    private var current: Work?
    private var previous: SnapshotWriter.Previous
    /// The snapshots taken since the store was opened, with the generation of the tree at which each was taken.
    private var generations: [(id: UInt64, generation: Int64)] = []
    private let openedAt: UInt64
    private var shared = Shared()
    private var thread: WorkerThread?

    struct Place {
        let file: StateFile
        let disk: any Disk
        var isReadOnly = false
    }

    private enum Work {
        case snapshot(SnapshotWriter)
        case retention(RetentionRun)
    }

    private struct Shared {
        var growth = Growth()
        var statistics = MaintenanceStatistics()
        var worksByItself = false
        var isPaused = false
        var isEnding = false
        var pinnedSnapshots: [UInt64: Int] = [:]
        var pinnedSegments: [UInt64: Int] = [:]
        /// Set when a snapshot was taken: retention is due.
        var retentionIsDue = true
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
        openedAt = environment.now()
        shared.lastSnapshotAt = openedAt
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
    private func wake() {
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
    /// The longest rest between two steps, in microseconds.
    private static let restMax: UInt64 = 20_000

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

    /// The thread's job. It gives way to everybody else: its share of the processor is what others leave, and it rests as
    /// long as it works.
    private func workOn() {
        WorkerThread.giveWay()
        while !lock.withLock({ shared.isPaused || shared.isEnding || environment.now() < shared.retryAt }) {
            do throws(StoreError) {
                let start = environment.now()
                guard try step() else { return }
                let worked = environment.now() - min(environment.now(), start)
                if !isBehind { environment.pause(min(worked, Self.restMax) * 1000) }
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
        if let reason = dueSnapshot { return .snapshot(makeWriter(place, reason, isClosing: false)) }
        guard lock.withLock({ shared.retentionIsDue }), try Store.exists(StateFile.name, on: place.disk) else {
            return nil
        }
        return .retention(makeRun(place))
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
    private func advance() throws(StoreError) {
        do throws(StoreError) {
            switch current {
            case .snapshot(let writer): if try !writer.step() { finish(writer) }
            case .retention(let run): if try !run.step() { finish(run) }
            case nil: break
            }
        } catch {
            current = nil
            lock.withLock {
                shared.statistics.failureCount += 1
                shared.statistics.lastError = error
            }
            throw error
        }
    }

    private func makeWriter(_ place: Place, _ reason: SnapshotReason, isClosing: Bool) -> SnapshotWriter {
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

    private func makeRun(_ place: Place) -> RetentionRun {
        RetentionRun(place.file, place.disk, droppedUpTo: newestUnseen()) { [unowned self] () throws(StoreError) in
            try plan(place)
        }
    }

    private func finish(_ run: RetentionRun) {
        current = nil
        lock.withLock {
            shared.statistics.add(run.decisions)
            shared.retentionIsDue = false
        }
    }

    /// The newest snapshot such that no view of this store shows pages that were dropped up to it.
    private func newestUnseen() -> UInt64 {
        let oldest = queue.oldestGenerationOnShow
        while generations.count > 1, generations[1].generation <= oldest { generations.removeFirst() }
        guard let first = generations.first else { return previous.id }
        return first.generation <= oldest ? first.id : first.id - 1
    }

    private func plan(_ place: Place) throws(StoreError) -> RetentionPlan {
        let file = place.file
        let (snapshots, catalogue) = try StoreError.wrapping { () throws(SQLiteError) in
            try file.readers.read { connection throws(SQLiteError) in
                (try file.summaries(connection), try file.segments(connection))
            }
        }
        let present = Set(try Replay.segmentNumbers(on: place.disk))
        let sequence = queue.durableView.sequence
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

    // MARK: - Pins

    /// Keeps what is pinned from being reclaimed as long as it lives.
    final class Pin: Sendable {
        private let maintenance: Maintenance
        private let snapshots: [UInt64]
        private let segment: UInt64?

        fileprivate init(_ maintenance: Maintenance, _ snapshots: [UInt64], _ segment: UInt64?) {
            self.maintenance = maintenance
            self.snapshots = snapshots
            self.segment = segment
        }

        deinit { maintenance.unpin(snapshots, segment) }
    }

    /// Pins the newest snapshot that is not beyond a sequence, and the log from a segment on.
    func pin(snapshotsUpTo sequence: UInt64, segment: UInt64?) throws(StoreError) -> Pin {
        try work.withLock { () throws(StoreError) in
            guard let place else { throw Self.closed }
            var ids: [UInt64] = []
            if try Store.exists(StateFile.name, on: place.disk) {
                ids = try plan(place).snapshots.filter { $0.sequence <= sequence }.suffix(1).map(\.id)
            }
            lock.withLock {
                for id in ids { shared.pinnedSnapshots[id, default: 0] += 1 }
                if let segment { shared.pinnedSegments[segment, default: 0] += 1 }
            }
            return Pin(self, ids, segment)
        }
    }

    private func unpin(_ snapshots: [UInt64], _ segment: UInt64?) {
        lock.withLock {
            for id in snapshots { Self.release(id, in: &shared.pinnedSnapshots) }
            if let segment { Self.release(segment, in: &shared.pinnedSegments) }
        }
    }

    private static func release(_ key: UInt64, in pins: inout [UInt64: Int]) {
        let count = pins[key] ?? 0
        pins[key] = count > 1 ? count - 1 : nil
    }

    private static let closed = StoreError(.closed, "The store is closed", advice: "Open it again.")

    /// What there is of the past. Pin first what is to be found there.
    func withHistory<R>(_ body: (History) throws(StoreError) -> R) throws(StoreError) -> R {
        guard let place = work.withLock({ place }) else { throw Self.closed }
        var machineOptions = StateMachine.Options(options, environment)
        machineOptions.memoryBytesMax = max(1 << 20, options.memoryBytesMax / 8)
        return try body(
            History(
                disk: place.disk, file: place.file, machineOptions: machineOptions,
                readsAhead: environment.usesThreads))
    }
}

// MARK: - By hand

extension Maintenance {
    /// Holds up work in the background until `resume`; what is under way stops between two steps.
    public func pause() { lock.withLock { shared.isPaused = true } }

    public func resume() {
        lock.withLock { shared.isPaused = false }
        wake()
    }

    /// What was done since the store was opened.
    public var statistics: MaintenanceStatistics { lock.withLock { shared.statistics } }

    /// Takes a snapshot of the state as it is durable now, and returns when it is verified. Writers go on meanwhile.
    ///
    /// - Throws: `noSpace`, `inputOutput`, `corrupt`, `poisoned`, `readOnly`, `closed`.
    @discardableResult
    public func takeSnapshot() throws(StoreError) -> SnapshotReport { try takeSnapshot(.hand, isClosing: false) }

    func takeSnapshot(_ reason: SnapshotReason, isClosing: Bool) throws(StoreError) -> SnapshotReport {
        try work.withLock { () throws(StoreError) in
            let place = try requirePlace()
            try finishCurrent()
            let writer = makeWriter(place, reason, isClosing: isClosing)
            current = .snapshot(writer)
            try finishCurrent()
            return writer.report
        }
    }

    /// What `close` does: a snapshot, unless there is little log since the last. If it cannot be taken, the next opening
    /// replays more.
    func takeLastSnapshot() {
        let growth = lock.withLock { shared.growth }
        guard work.withLock({ place?.isReadOnly == false }), growth.commitCount > 0,
            growth.logByteCount > Self.littleLogBytes
        else { return }
        _ = try? takeSnapshot(.close, isClosing: true)
    }

    private static let littleLogBytes = 128 << 10

    /// Begins a new segment of the log, so that all before it is sealed; does nothing if the newest has no commit yet.
    public func seal() throws(StoreError) { try queue.seal() }

    /// Takes a snapshot and applies retention.
    @discardableResult
    public func compact() throws(StoreError) -> (snapshot: SnapshotReport, retention: [RetentionDecision]) {
        (try takeSnapshot(), try retain())
    }

    /// Decides what is kept, deprecates what is beyond the limits and reclaims what was deprecated for long enough.
    ///
    /// - Parameter isDry: only tells what would be done.
    @discardableResult
    public func retain(isDry: Bool = false) throws(StoreError) -> [RetentionDecision] {
        try work.withLock { () throws(StoreError) in
            guard let place = isDry ? place : try requirePlace() else { throw Self.closed }
            guard try Store.exists(StateFile.name, on: place.disk) else { return [] }
            if isDry { return try plan(place).decisions }
            try finishCurrent()
            let run = makeRun(place)
            current = .retention(run)
            try finishCurrent()
            return run.decisions
        }
    }

    /// Takes back that something is deprecated, and keeps it until it is deprecated by hand.
    ///
    /// - Throws: `invalidArgument` if there is no such thing any more.
    public func undeprecate(_ item: RetentionItem) throws(StoreError) { try setDeprecated(item, at: nil) }

    /// Deprecates something by hand; its grace time begins.
    public func deprecate(_ item: RetentionItem) throws(StoreError) {
        try setDeprecated(item, at: environment.now())
    }

    private func setDeprecated(_ item: RetentionItem, at time: UInt64?) throws(StoreError) {
        try work.withLock { () throws(StoreError) in
            let place = try requirePlace()
            guard try plan(place).decisions.contains(where: { $0.item == item }) else {
                throw StoreError(.invalidArgument, "There is no \(item) any more", advice: "List what there is.")
            }
            try StoreError.wrapping { () throws(SQLiteError) in
                switch item {
                case .snapshot(let id): try place.file.setDeprecated(snapshot: id, at: time)
                case .segment(let number): try place.file.setDeprecated(segment: number, at: time)
                }
            }
        }
    }

    private func requirePlace() throws(StoreError) -> Place {
        guard let place, !place.isReadOnly else {
            throw StoreError(.readOnly, "This store cannot take snapshots", advice: "Open it for writing.")
        }
        return place
    }

    /// Takes the current work to its end. With `work` held.
    private func finishCurrent() throws(StoreError) {
        while current != nil { try advance() }
    }
}

/// What maintenance has done since a store was opened.
public struct MaintenanceStatistics: Hashable, Sendable {
    public var snapshotCount = 0
    /// Pages and bytes that snapshots added to the state file, and how long they took together, in microseconds.
    public var pageCount = 0
    public var byteCount = 0
    public var duration: UInt64 = 0
    public var lastSnapshot: SnapshotReport?
    public var retentionCount = 0
    /// Snapshots and segments that were reclaimed, and the bytes of the segments.
    public var reclaimedCount = 0
    public var reclaimedByteCount = 0
    public var failureCount = 0
    public var lastError: StoreError?

    public init() {}

    mutating func add(_ report: SnapshotReport) {
        snapshotCount += 1
        pageCount += report.pageCount
        byteCount += report.byteCount
        duration += report.finishedAt - min(report.finishedAt, report.startedAt)
        lastSnapshot = report
    }

    mutating func add(_ decisions: [RetentionDecision]) {
        retentionCount += 1
        for decision in decisions where decision.action == .reclaim {
            reclaimedCount += 1
            reclaimedByteCount += decision.byteCount
        }
    }
}
