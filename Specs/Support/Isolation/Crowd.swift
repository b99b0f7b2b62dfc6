import Foundation
import SeededRandom

/// Threads and tasks that work beside each other on one store.
package enum Crowd {
    /// Runs `work` in so many threads and tasks at once; returns when all are done. Throws what the first failed with.
    package static func run(
        threads: Int, tasks: Int, inThread: @escaping @Sendable (Int) throws -> Void,
        inTask: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<threads {
                group.addTask {
                    try await withCheckedThrowingContinuation { continuation in
                        Thread { continuation.resume(with: Result { try inThread(number) }) }.start()
                    }
                }
            }
            for number in threads..<(threads + tasks) { group.addTask { try await inTask(number) } }
            try await group.waitForAll()
        }
    }
}

/// The random pauses of one worker, by which transactions overlap on few cores.
package final class Gait {
    private var random: SeededGenerator

    package init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    /// Lets others go first now and then.
    package func giveWay() {
        switch UInt8.random(in: 0..<8, using: &random) {
        case 0: usleep(UInt32.random(in: 1...200, using: &random))
        case 1...4: sched_yield()
        default: break
        }
    }
}
