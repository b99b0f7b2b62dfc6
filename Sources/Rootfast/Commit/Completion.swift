import Threading

/// The answer to a request: one thread gives it, once, and another, or a task, waits for it.
///
/// `@unchecked Sendable`, because what is mutable is touched under `lock` only.
final class Completion: @unchecked Sendable {
    typealias Answer = Result<Receipt, StoreError>

    /// The task that waits; `nil` if a thread does, or is going to. It is there before the request is, so that tasks go on
    /// in the order in which they are answered.
    private let continuation: CheckedContinuation<Receipt, any Error>?
    private var isBlocking: Bool { continuation == nil }
    private let lock = Lock()
    private var condition: Condition?
    private var answer: Answer?
    /// Whom the thread that waits here wakes next.
    private var next: Completion?

    init(resuming continuation: CheckedContinuation<Receipt, any Error>? = nil) { self.continuation = continuation }

    /// Whether it was answered.
    var isAnswered: Bool { lock.withLock { answer != nil } }

    func give(_ answer: Answer) {
        put(answer, next: nil)
        wake()
    }

    /// Gives many answers. The threads that wait for them wake each other, one after the other: to wake them all from
    /// here would hand them the core before this thread has gone on with its work.
    static func give(_ answers: [(completion: Completion, answer: Answer)]) {
        // From the last to the first: who finds an answer wakes the next, which must have its own by then, or it would
        // wait on and be woken by nobody.
        var first: Completion?
        for (completion, answer) in answers.reversed() where completion.isBlocking {
            completion.put(answer, next: first)
            first = completion
        }
        for (completion, answer) in answers where !completion.isBlocking { completion.put(answer, next: nil) }
        first?.wake()
    }

    private func put(_ answer: Answer, next: Completion?) {
        lock.lock()
        precondition(self.answer == nil, "an answer is given once")
        self.answer = answer
        self.next = next
        lock.unlock()
        continuation?.resume(with: answer.mapError { $0 as any Error })
    }

    private func wake() { lock.withLock { condition }?.signal() }

    /// Blocks the thread until there is an answer.
    func wait() -> Answer {
        lock.lock()
        if answer == nil { condition = Condition() }
        while answer == nil { condition!.wait(lock) }
        let next = next
        self.next = nil
        lock.unlock()
        next?.wake()
        return answer!
    }
}
