import Threading

/// Calls for a flush some time after the first commit that is acknowledged before it is durable.
final class Ticker: Sendable {
    /// `@unchecked Sendable`, because `armed` is touched under `lock` only.
    private final class Shared: @unchecked Sendable {
        let lock = Lock()
        var armed: Duration?
    }

    private let shared: Shared
    private let thread: WorkerThread

    /// - Parameter pause: waits so many nanoseconds.
    init(_ pause: @escaping @Sendable (UInt64) -> Void, _ job: @escaping @Sendable () -> Void) {
        let shared = Shared()
        self.shared = shared
        thread = WorkerThread {
            guard let interval = shared.lock.withLock({ shared.armed }) else { return }
            pause(interval.wholeNanoseconds)
            shared.lock.withLock { shared.armed = nil }
            job()
        }
    }

    /// Sees to it that the job is done within the interval; false if a longer interval is already running.
    func tick(within interval: Duration) -> Bool {
        shared.lock.lock()
        if let armed = shared.armed {
            shared.lock.unlock()
            return armed <= interval
        }
        shared.armed = interval
        shared.lock.unlock()
        thread.wake()
        return true
    }
}

extension Duration {
    /// In nanoseconds; 0 if negative, at most some 292 years.
    fileprivate var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 9_000_000_000)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
