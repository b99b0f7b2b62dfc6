import Threading

/// The answer to a request: one thread gives it, once, and another, or a task, waits for it.
///
/// `@unchecked Sendable`, because what is mutable is written before `gate` opens and read behind it.
final class Completion: @unchecked Sendable {
    typealias Answer = Result<Receipt, StoreError>

    /// The task that waits; `nil` if a thread does, or is going to. It is there before the request is, so that tasks go on
    /// in the order in which they are answered.
    private let continuation: CheckedContinuation<Receipt, any Error>?
    var isBlocking: Bool { continuation == nil }
    /// Where the thread waits.
    private let gate = Gate()
    private var isGiven = false
    /// The answer: two properties, as a copy of a receipt costs nothing, and one that may be an error does.
    private var receipt = Receipt.nothing
    private var failure: StoreError?
    /// Whom the thread that waits here wakes next.
    private var next: Completion?

    init(resuming continuation: CheckedContinuation<Receipt, any Error>? = nil) { self.continuation = continuation }

    /// Whether the thread that is going to wait will find an answer. For that thread.
    var isAnswered: Bool { gate.isOpen }

    func give(_ answer: Answer) {
        switch answer {
        case .success(let receipt): put(receipt, next: nil)
        case .failure(let failure): put(failure, next: nil)
        }
        wake()
    }

    func put(_ receipt: Receipt, next: Completion?) {
        begin(next)
        self.receipt = receipt
        continuation?.resume(returning: receipt)
    }

    func put(_ failure: StoreError, next: Completion?) {
        begin(next)
        self.failure = failure
        continuation?.resume(throwing: failure)
    }

    private func begin(_ next: Completion?) {
        precondition(!isGiven, "an answer is given once")
        isGiven = true
        self.next = next
    }

    /// Lets the thread go on for which an answer was put here.
    func wake() { gate.open() }

    /// Blocks the thread until there is an answer.
    func wait() -> Answer {
        gate.wait()
        next?.wake()
        next = nil
        if let failure { return .failure(failure) }
        return .success(receipt)
    }
}
