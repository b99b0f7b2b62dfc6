import Threading

/// Runs what comes by number, in the order of the numbers: a task that is answered before it has gone to sleep goes on at
/// once, ahead of those answered before it.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only.
final class Turnstile: @unchecked Sendable {
    private let lock = Lock()
    private var next = 0
    private var waiting: [Int: () -> Void] = [:]

    /// Numbers are 0, 1, 2, …, each used once; runs those whose turn it is.
    func pass(_ number: Int, _ body: @escaping () -> Void) {
        lock.withLock {
            waiting[number] = body
            while let body = waiting.removeValue(forKey: next) {
                next += 1
                body()
            }
        }
    }
}
