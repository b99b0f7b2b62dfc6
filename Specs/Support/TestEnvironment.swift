import Hashing
package import Rootfast
import SeededRandom
import Threading

extension Environment {
    /// A world without chance: a clock that ticks a microsecond a call, ids from a seed, no waiting. Views are kept for a
    /// few flushes only, so that there are flushes with and without.
    package static func deterministic(seed: UInt64 = 1) -> Environment {
        let world = World(seed: seed)
        return Environment(
            now: { world.tick() }, randomBytes: { world.random() }, pause: { _ in }, kernel: .scalar,
            usesThreads: false, viewsKept: 2)
    }
}

extension Environment {
    /// The system's own, with views kept for longer or shorter than it would.
    package static func system(viewsKept: Int) -> Environment {
        var environment = system()
        environment.viewsKept = viewsKept
        return environment
    }
}

/// `@unchecked Sendable`, because its state is touched under its lock only.
private final class World: @unchecked Sendable {
    private let lock = Lock()
    private var time: UInt64 = 1_763_690_000_000_000
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    func tick() -> UInt64 {
        lock.withLock {
            time += 1
            return time
        }
    }

    func random() -> [UInt8] { lock.withLock { generator.bytes(16) } }
}
