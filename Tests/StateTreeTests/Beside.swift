import Threading

/// Makes one thing at a time on a thread of its own.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only.
final class Beside<Made>: @unchecked Sendable {
    private let lock = Lock()
    private let isDone = Condition()
    private var job: (() -> Made)?
    private var model: [[UInt8]: [UInt8]] = [:]
    private var made: Made?
    private var isRunning = false
    private var thread: WorkerThread!

    init() {
        thread = WorkerThread { [unowned self] in
            guard let job = lock.withLock({ job }) else { return }
            let made = job()
            lock.withLock {
                (self.made, self.job, isRunning) = (made, nil, false)
                isDone.signal()
            }
        }
    }

    /// Begins to make what belongs to a model.
    func start(_ model: [[UInt8]: [UInt8]], _ job: @escaping () -> Made) {
        lock.withLock { (self.job, self.model, isRunning) = (job, model, true) }
        thread.wake()
    }

    /// Waits for what was begun last, unless it was taken already.
    func finish() -> (Made, [[UInt8]: [UInt8]])? {
        lock.withLock {
            while isRunning { isDone.wait(lock) }
            defer { made = nil }
            return made.map { ($0, model) }
        }
    }
}
