package import Hashing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the store takes from the world besides its disk: time, randomness and waiting. Handed in, so that the specs
/// decide it.
package struct Environment: Sendable {
    /// Microseconds since 1970. May step back; the log's timestamps do not.
    package var now: @Sendable () -> UInt64
    /// 16 random bytes.
    package var randomBytes: @Sendable () -> [UInt8]
    /// Waits so many nanoseconds.
    package var pause: @Sendable (UInt64) -> Void
    /// The code that hashes.
    package var kernel: HashKernel
    /// Whether threads may do in the background what callers would otherwise do themselves.
    package var usesThreads: Bool
    /// So many flushes after somebody read, the state at a flush's end is kept for the next reader.
    package var viewsKept: Int

    package init(
        now: @escaping @Sendable () -> UInt64, randomBytes: @escaping @Sendable () -> [UInt8],
        pause: @escaping @Sendable (UInt64) -> Void, kernel: HashKernel, usesThreads: Bool,
        viewsKept: Int
    ) {
        self.now = now
        self.randomBytes = randomBytes
        self.pause = pause
        self.kernel = kernel
        self.usesThreads = usesThreads
        self.viewsKept = viewsKept
    }

    /// The machine's own clock and randomness, and the kernel that is fastest on it.
    package static func system() -> Environment {
        Environment(
            now: {
                let time = clock(CLOCK_REALTIME)
                return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
            },
            randomBytes: {
                var generator = SystemRandomNumberGenerator()
                return (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
            },
            pause: { nanoseconds in
                var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
                nanosleep(&time, nil)
            },
            kernel: fastestKernel, usesThreads: true, viewsKept: 1024)
    }

    /// Measured once a process, as it takes a fraction of a millisecond and does not change.
    private static let fastestKernel = HashKernel.fastest {
        let time = clock(CLOCK_MONOTONIC)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func clock(_ id: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(id, &time)
        return time
    }
}

extension UInt64 {
    /// How far a reading of a clock lies behind an earlier one; 0 if the clock was set back in between.
    func since(_ start: UInt64) -> UInt64 { self - Swift.min(self, start) }
}
