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
        // Only what is durable gets here.
        if case .success(let receipt) = result, let failure = acknowledge(job, receipt) { result = .failure(failure) }
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
        if let failure { throw failure.error }
    }

    /// Runs what this tallies, and takes the line of progress away; says in errors how far it came.
    func following(_ body: () throws -> Void) throws {
        defer { lock.withLock { progress.clear() } }
        do {
            try body()
        } catch let failure as Failure {
            throw failure.telling(self)
        }
    }

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

    /// Tells of a commit. That nobody reads it any more is no reason to stop; that it cannot be written is.
    private func acknowledge(_ job: Job, _ receipt: Receipt) -> (any Error)? {
        do {
            switch acknowledging {
            case .none: break
            case .text: try Output.standard.print("ack \(receipt.sequence) \(job.id ?? "\(job.line)")")
            case .json: try Output.standard.print(answer(job, receipt))
            }
        } catch {
            return error is Output.Closed ? nil : error
        }
        return nil
    }

    private func answer(_ job: Job, _ receipt: Receipt) -> Answer {
        var answer = Answer()
        answer.number("ack", receipt.sequence)
        answer.number("line", job.line)
        answer.text("tx_id", job.id)
        return answer
    }
}

extension Failure {
    /// The same, with what was applied before it, and what to do.
    func telling(_ tally: Tally) -> Failure {
        let done = "\(tally.applied) transactions were applied before it, and \(tally.skipped) skipped"
        let again = "Once that is mended, run the same again: what has a tx_id that is committed is skipped"
        var failure = self
        failure.advice = [advice, "\(done). \(again)."].compactMap { $0 }.joined(separator: " ")
        return failure
    }
}
