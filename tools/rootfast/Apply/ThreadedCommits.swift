import Rootfast
import Threading

/// Commits jobs from so many threads at once, each waiting for its own: in no order.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only; `source` by one thread alone.
final class ThreadedCommits: @unchecked Sendable {
    private let store: Store
    private let source: any JobSource
    private let tally: Tally
    private let writerCount: Int
    private let lock = Lock()
    private let hasChanged = Condition()
    private var waiting: [Job] = []
    private var waitingBytes = 0
    private var isEnded = false
    private var workingCount = 0
    /// Jobs that were read, and whose end was not told yet.
    private var unfinishedCount = 0
    private static let waitingBytesMax = 64 << 20
    private static let inputRestNanoseconds: UInt64 = 1_000_000

    init(_ store: Store, _ source: any JobSource, _ tally: Tally, writerCount: Int) {
        self.store = store
        self.source = source
        self.tally = tally
        self.writerCount = writerCount
    }

    /// Throws what failed, once nothing is under way any more.
    func run() throws {
        workingCount = writerCount
        let threads = (0..<writerCount).map { _ in WorkerThread { [self] in commitAll() } }
        for thread in threads { thread.wake() }
        let badInput = Result { try readAll() }
        lock.withLock {
            isEnded = true
            hasChanged.broadcast()
            while workingCount > 0 { hasChanged.wait(lock) }
        }
        try tally.waitUntilIdle()
        try badInput.get()
    }

    private func readAll() throws {
        while !tally.hasFailed, case .job(let job) = try next() {
            lock.withLock {
                while !hasRoom(for: job) { hasChanged.wait(lock) }
                unfinishedCount += 1
                waiting.append(job)
                waitingBytes += job.byteCount
                hasChanged.broadcast()
            }
        }
    }

    /// The next job. It waits for input alone only when nothing can fail meanwhile: what fails is told at once.
    private func next() throws -> JobStep {
        while true {
            let isIdle = lock.withLock { unfinishedCount == 0 }
            if tally.hasFailed { return .end }
            let step = try source.next(waiting: isIdle)
            guard case .notYet = step else { return step }
            lock.withLock {
                if unfinishedCount > 0 { hasChanged.wait(lock, nanoseconds: Self.inputRestNanoseconds) }
            }
        }
    }

    private func hasRoom(for job: Job) -> Bool {
        waiting.isEmpty || waiting.count < 4 * writerCount && waitingBytes + job.byteCount <= Self.waitingBytesMax
    }

    /// One thread's work.
    private func commitAll() {
        while let job = take() {
            tally.begin()
            tally.finish(job, Result { try store.write(id: job.id) { try job.write(to: $0) } })
            lock.withLock { unfinishedCount -= 1 }
        }
        lock.withLock {
            workingCount -= 1
            hasChanged.broadcast()
        }
    }

    /// The next job; `nil` at the end, or once one has failed.
    private func take() -> Job? {
        lock.withLock {
            while waiting.isEmpty, !isEnded { hasChanged.wait(lock) }
            if tally.hasFailed { waiting = [] }
            hasChanged.broadcast()
            guard !waiting.isEmpty else { return nil }
            let job = waiting.removeFirst()
            waitingBytes -= job.byteCount
            return job
        }
    }
}
