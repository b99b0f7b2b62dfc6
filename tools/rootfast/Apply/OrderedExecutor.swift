import Threading

/// Runs tasks one at a time on one thread, in the order in which they became ready.
///
/// So tasks that are made one after the other also reach the store's queue one after the other, which is the order of
/// their commits; the system's own executor does not promise that.
///
/// `@unchecked Sendable`, because `jobs` is touched under `lock` only, and `thread` is set before the first job.
final class OrderedExecutor: TaskExecutor, @unchecked Sendable {
    /// Never freed, so that its thread may still be at its end when the last task is done.
    static let shared = OrderedExecutor()

    private let lock = Lock()
    private var jobs: [UnownedJob] = []
    private var thread: WorkerThread?

    private init() { thread = WorkerThread { [unowned self] in self.runAll() } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        lock.withLock { jobs.append(job) }
        thread!.wake()
    }

    private func runAll() {
        while true {
            let ready = lock.withLock {
                defer { jobs = [] }
                return jobs
            }
            if ready.isEmpty { return }
            for job in ready { job.runSynchronously(on: asUnownedTaskExecutor()) }
        }
    }
}
