import Foundation

/// Threads that do the same at the same time.
enum Crew {
    /// Runs `body` on so many threads, and returns what they return when all have ended.
    static func run<R: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (_ thread: Int) throws -> R
    ) throws -> [R] {
        let outcomes = Outcomes<R>()
        for index in 0..<count {
            let thread = Thread { outcomes.add(Result { try body(index) }) }
            thread.start()
        }
        return try outcomes.wait(for: count).map { try $0.get() }
    }
}

/// `@unchecked Sendable`, because `results` is touched under `condition` only.
private final class Outcomes<R: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var results: [Result<R, any Error>] = []

    func add(_ result: Result<R, any Error>) {
        condition.lock()
        defer { condition.unlock() }
        results.append(result)
        condition.signal()
    }

    func wait(for count: Int) -> [Result<R, any Error>] {
        condition.lock()
        defer { condition.unlock() }
        while results.count < count { condition.wait() }
        return results
    }
}
