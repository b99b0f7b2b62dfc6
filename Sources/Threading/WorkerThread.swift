#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A thread that does one job each time it is woken, and if told so after every rest of some length, and ends when it is
/// released.
///
/// Wake-ups while it works are not lost, and are not counted: it works once more.
package final class WorkerThread: Sendable {
    /// `@unchecked Sendable`, because the two flags are touched under `lock` only, and the rest is constant.
    private final class Shared: @unchecked Sendable {
        let lock = Lock()
        let condition = Condition()
        var isWoken = false
        var isEnding = false
        let job: @Sendable () -> Void
        let rest: UInt64?
        init(rest: UInt64?, _ job: @escaping @Sendable () -> Void) {
            self.rest = rest
            self.job = job
        }
    }

    private let shared: Shared

    /// - Parameter rest: how many nanoseconds it waits at most to be woken.
    package init(every rest: UInt64? = nil, _ job: @escaping @Sendable () -> Void) {
        shared = Shared(rest: rest, job)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let result = pthread_create(
            &thread, &attributes,
            { context in
                #if canImport(Darwin)
                    let pointer = context
                #else
                    let pointer = context!
                #endif
                WorkerThread.run(Unmanaged<Shared>.fromOpaque(pointer).takeRetainedValue())
                return nil
            }, Unmanaged.passRetained(shared).toOpaque())
        precondition(result == 0, "the system has no thread left")
        pthread_attr_destroy(&attributes)
    }

    deinit {
        shared.lock.withLock { shared.isEnding = true }
        shared.condition.signal()
    }

    /// Lets the calling thread run when others leave the processor free. A hint.
    package static func giveWay() {
        #if os(Linux)
            // On Linux it is the thread that has a niceness, whatever POSIX says.
            _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
        #endif
    }

    package func wake() {
        shared.lock.withLock { shared.isWoken = true }
        shared.condition.signal()
    }

    private static func run(_ shared: Shared) {
        while true {
            shared.lock.lock()
            if let rest = shared.rest {
                if !shared.isWoken, !shared.isEnding { shared.condition.wait(shared.lock, nanoseconds: rest) }
            } else {
                while !shared.isWoken, !shared.isEnding { shared.condition.wait(shared.lock) }
            }
            let isEnding = shared.isEnding && !shared.isWoken
            shared.isWoken = false
            shared.lock.unlock()
            if isEnding { return }
            shared.job()
        }
    }
}
