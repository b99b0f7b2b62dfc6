/// A result that one thread gives and another, or a task, waits for. Given once.
///
/// `@unchecked Sendable`, because what is mutable is touched under `lock` only.
package final class Completion<Success: Sendable, Failure: Error>: @unchecked Sendable {
    private let lock = Lock()
    private var condition: Condition?
    private var continuation: CheckedContinuation<Success, any Error>?
    private var result: Result<Success, Failure>?

    package init() {}

    /// What was given, if it was.
    package var current: Result<Success, Failure>? { lock.withLock { result } }

    package func give(_ result: Result<Success, Failure>) {
        lock.lock()
        precondition(self.result == nil, "a result is given once")
        self.result = result
        let (condition, continuation) = (condition, continuation)
        lock.unlock()
        condition?.signal()
        continuation?.resume(with: result.mapError { $0 as any Error })
    }

    /// Blocks the thread. At most one thread or task may wait.
    package func wait() -> Result<Success, Failure> {
        lock.lock()
        defer { lock.unlock() }
        if result == nil, condition == nil { condition = Condition() }
        while true {
            if let result { return result }
            condition!.wait(lock)
        }
    }

    /// Suspends the task, not a thread.
    package func value() async throws -> Success {
        if let current { return try current.get() }
        return try await withCheckedThrowingContinuation { continuation in
            lock.lock()
            if result == nil { self.continuation = continuation }
            let result = result
            lock.unlock()
            if let result { continuation.resume(with: result.mapError { $0 as any Error }) }
        }
    }
}
