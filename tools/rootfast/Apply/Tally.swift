import Rootfast
import Threading

/// What has come of the jobs so far. Any thread may tell it.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only.
final class Tally: @unchecked Sendable {
    /// How commits are told on standard output while they are made.
    enum Acknowledging {
        case none, text, json
    }

    private let input: String
    private let acknowledging: Acknowledging
    private let lock = Lock()
    private let idle = Condition()
    private var inFlight = 0
    private var appliedCount = 0
    private var skippedCount = 0
    private var failure: (line: Int, error: any Error)?
    private var progress = Progress()

    init(input: String, _ acknowledging: Acknowledging) {
        self.input = input
        self.acknowledging = acknowledging
    }

    /// Transactions committed by this run, and those that had been committed before.
    var applied: Int { lock.withLock { appliedCount } }
    var skipped: Int { lock.withLock { skippedCount } }

    /// Whether something failed, so that nothing more is to be begun.
    var hasFailed: Bool { lock.withLock { failure != nil } }

    /// Notes that a job is about to be committed: then its end is told, by one of the calls below.
    func begin() { lock.withLock { inFlight += 1 } }

    func finish(_ job: Job, _ result: Result<Receipt, any Error>) {
        var result = result
        if case .success(let receipt) = result, acknowledging != .none {
            // Only what is durable gets here. If nobody reads it any more, nothing more is begun.
            do { try acknowledge(job, receipt) } catch { result = .failure(error) }
        }
        lock.withLock {
            note(job, result)
            inFlight -= 1
            if inFlight == 0 { idle.broadcast() }
        }
    }

    /// Notes a job that was committed before, without beginning it.
    func skip() { lock.withLock { skippedCount += 1 } }

    /// Waits until nothing is under way; throws what failed, the first in the order of the input.
    func waitUntilIdle() throws {
        lock.lock()
        defer { lock.unlock() }
        while inFlight > 0 { idle.wait(lock) }
        if let failure {
            progress.clear()
            throw failure.error
        }
    }

    func clearProgress() { lock.withLock { progress.clear() } }

    /// The error for a job that a store did not take.
    func naming(_ job: Job, _ error: any Error) -> any Error {
        guard let error = error as? StoreError else { return error }
        var failure = Failure(error)
        failure.status = failure.status == .usage ? .failed : failure.status
        failure.message = "Line \(job.line) of \(input): \(error.message)"
        failure.line = job.line
        return failure
    }

    // MARK: Inside

    private func note(_ job: Job, _ result: Result<Receipt, any Error>) {
        switch result {
        case .success: appliedCount += 1
        case .failure(let error) where Self.isCommitted(error): skippedCount += 1
        case .failure(let error):
            guard failure.map({ job.line < $0.line }) ?? true else { return }
            failure = (job.line, naming(job, error))
        }
        progress.show("\(appliedCount) committed, \(skippedCount) were before; at line \(job.line)")
    }

    private static func isCommitted(_ error: any Error) -> Bool {
        guard case .duplicateID(.committed) = (error as? StoreError)?.code else { return false }
        return true
    }

    private func acknowledge(_ job: Job, _ receipt: Receipt) throws {
        guard acknowledging == .json else {
            return try Output.standard.print("ack \(receipt.sequence) \(job.id ?? "\(job.line)")")
        }
        var answer = Answer()
        answer.number("ack", receipt.sequence)
        answer.number("line", job.line)
        answer.text("tx_id", job.id)
        try Output.standard.print(answer)
    }
}
