import Threading

/// The answer to a request: one thread gives it, once, and another, or a task, waits for it.
///
/// `@unchecked Sendable`, because what is mutable is written before `gate` opens and read behind it.
final class Completion: @unchecked Sendable {
    typealias Answer = Result<Receipt, StoreError>

    /// The task that waits; `nil` if a thread does, or is going to. It is there before the request is, so that tasks go on
    /// in the order in which they are answered.
    private let continuation: CheckedContinuation<Receipt, any Error>?
    private var isBlocking: Bool { continuation == nil }
    /// Where the thread waits.
    private let gate = Gate()
    private var answer: Answer?
    /// Whom the thread that waits here wakes next.
    private var next: Completion?

    init(resuming continuation: CheckedContinuation<Receipt, any Error>? = nil) { self.continuation = continuation }

    /// Whether the thread that is going to wait will find an answer. For that thread.
    var isAnswered: Bool { gate.isOpen }

    func give(_ answer: Answer) {
        put(answer, next: nil)
        wake()
    }

    /// Gives many answers. The threads that wait for them wake each other, one after the other: to wake them all from
    /// here would hand them the core before this thread has gone on with its work.
    static func give(_ answers: [(completion: Completion, answer: Answer)]) {
        var first: Completion?
        for (completion, answer) in answers.reversed() where completion.isBlocking {
            completion.put(answer, next: first)
            first = completion
        }
        for (completion, answer) in answers where !completion.isBlocking { completion.put(answer, next: nil) }
        first?.wake()
    }

    private func put(_ answer: Answer, next: Completion?) {
        precondition(self.answer == nil, "an answer is given once")
        self.answer = answer
        self.next = next
        continuation?.resume(with: answer.mapError { $0 as any Error })
    }

    private func wake() { gate.open() }

    /// Blocks the thread until there is an answer.
    func wait() -> Answer {
        gate.wait()
        next?.wake()
        next = nil
        return answer!
    }
}
