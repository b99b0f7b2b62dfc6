import Rootfast

/// Commits jobs in their order, many in flight at once, so that they share flushes.
///
/// Jobs go in batches. All of a batch are in flight together, while the next is read; before it begins, the last one
/// has ended. So whatever can be known of a job is known before anything after it is begun: (1) a bad line ends the
/// input before what follows is read; (2) the outcome of each id is asked for between batches; (3) a transaction that
/// may turn out too large as a record is a batch of its own; (4) with transactions in doubt, whose locks a job can run
/// into, each job is. What is left is a disk that fails, and then the store takes nothing more.
struct OrderedCommits {
    let store: Store
    let source: any JobSource
    let tally: Tally
    private let turnstile = Turnstile()
    private var submittedCount = 0
    private let jobCountMax: Int
    private var held: Job?
    private static let batchBytesMax = 4 << 20

    /// The store is to be opened with these: the order forbids to try a job again after what follows it.
    static var options: Options {
        var options = Options()
        options.attemptsMax = 1
        return options
    }

    init(_ store: Store, _ source: any JobSource, _ tally: Tally) throws {
        self.store = store
        self.source = source
        self.tally = tally
        jobCountMax = try store.inDoubt().isEmpty ? 1024 : 1
    }

    /// Throws what failed, once nothing is under way any more.
    mutating func run() throws {
        var isEnded = false
        var badInput: (any Error)?
        while !isEnded {
            var batch: [Job] = []
            do {
                isEnded = try gather(&batch)
            } catch {
                badInput = error
                isEnded = true
            }
            try tally.waitUntilIdle()
            try begin(batch)
        }
        try tally.waitUntilIdle()
        if let badInput { throw badInput }
    }

    /// Reads what is there to read, one job at least; true at the end of the input.
    private mutating func gather(_ batch: inout [Job]) throws -> Bool {
        var byteCount = 0
        if let job = held.take() {
            byteCount = job.byteCount
            batch.append(job)
        }
        while batch.count < jobCountMax, byteCount < Self.batchBytesMax {
            switch try next(waiting: batch.isEmpty) {
            case .end: return true
            case .notYet: return false
            case .job(let job):
                byteCount += job.byteCount
                if !batch.isEmpty, byteCount > Self.batchBytesMax {
                    held = job
                    return false
                }
                batch.append(job)
            }
        }
        return false
    }

    /// The next job. Before it waits for input, what is under way ends: what fails is told at once.
    private func next(waiting: Bool) throws -> JobStep {
        let step = try source.next(waiting: false)
        guard waiting, case .notYet = step else { return step }
        try tally.waitUntilIdle()
        return try source.next(waiting: true)
    }

    /// Sees which of a batch are committed already, while nothing is under way, and begins the others.
    private mutating func begin(_ batch: [Job]) throws {
        var fresh: [Job] = []
        var refusal: (any Error)?
        for job in batch {
            do {
                if try isCommitted(job) { tally.skip() } else { fresh.append(job) }
            } catch {
                refusal = tally.naming(job, error)
                break
            }
        }
        for job in fresh { submit(job) }
        guard let refusal else { return }
        try tally.waitUntilIdle()
        throw refusal
    }

    /// Whether its id is committed; throws if it is taken otherwise.
    private func isCommitted(_ job: Job) throws(StoreError) -> Bool {
        guard let id = job.id else { return false }
        switch try store.outcome(of: id) {
        case .unknown: return false
        case .committed: return true
        case .aborted: throw Self.taken(id, .aborted, "was aborted")
        case .inDoubt: throw Self.taken(id, .inDoubt, "is in doubt")
        }
    }

    private static func taken(_ id: String, _ outcome: Outcome, _ what: String) -> StoreError {
        StoreError(
            .duplicateID(outcome), "The transaction id \(id) is taken: it \(what)",
            advice: outcome == .inDoubt ? "Resolve it first." : "Use another id.")
    }

    private mutating func submit(_ job: Job) {
        tally.begin()
        let number = submittedCount
        submittedCount += 1
        Task(executorPreference: OrderedExecutor.shared) { [store, tally, turnstile] in
            let result: Result<Receipt, any Error>
            do {
                result = .success(try await store.write(id: job.id) { try job.write(to: $0) })
            } catch {
                result = .failure(error)
            }
            turnstile.pass(number) { tally.finish(job, result) }
        }
    }
}
