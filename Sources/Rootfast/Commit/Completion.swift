import Threading

/// The answer to a request: one thread gives it, once, and another, or a task, waits for it.
///
/// `@unchecked Sendable`, because what is mutable is touched under `lock` only.
final class Completion: @unchecked Sendable {
    typealias Answer = Result<Receipt, StoreError>

    private let lock = Lock()
    private var condition: Condition?
    private var continuation: CheckedContinuation<Receipt, any Error>?
    private var answer: Answer?

    /// What was given, if it was.
    var current: Answer? { lock.withLock { answer } }

    func give(_ answer: Answer) {
        lock.lock()
        precondition(self.answer == nil, "an answer is given once")
        self.answer = answer
        let (condition, continuation) = (condition, continuation)
        lock.unlock()
        condition?.signal()
        continuation?.resume(with: answer.mapError { $0 as any Error })
    }

    /// Blocks the thread. At most one thread or task may wait.
    func wait() -> Answer {
        lock.lock()
        defer { lock.unlock() }
        if answer == nil, condition == nil { condition = Condition() }
        while true {
            if let answer { return answer }
            condition!.wait(lock)
        }
    }

    /// Suspends the task, not a thread.
    func value() async throws -> Receipt {
        if let current { return try current.get() }
        return try await withCheckedThrowingContinuation { continuation in
            lock.lock()
            if answer == nil { self.continuation = continuation }
            let answer = answer
            lock.unlock()
            if let answer { continuation.resume(with: answer.mapError { $0 as any Error }) }
        }
    }
}
