#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A pthread condition at a stable address, always used with the same `Lock`.
///
/// `@unchecked Sendable`, because the one stored property is a pointer to a condition, made for use from any thread.
package final class Condition: @unchecked Sendable {
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        condition = .allocate(capacity: 1)
        condition.initialize(to: pthread_cond_t())
        #if canImport(Darwin)
            pthread_cond_init(condition, nil)
        #else
            var attributes = pthread_condattr_t()
            pthread_condattr_init(&attributes)
            // A clock that is set meanwhile changes no wait.
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
            pthread_cond_init(condition, &attributes)
            pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
    }

    /// Releases the lock, which the caller holds, until woken (or for no reason), and takes it again.
    package func wait(_ lock: Lock) { pthread_cond_wait(condition, lock.mutex) }
    /// The same, but for no longer than so many nanoseconds.
    package func wait(_ lock: Lock, nanoseconds: UInt64) {
        #if canImport(Darwin)
            var time = timespec(
                tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
            pthread_cond_timedwait_relative_np(condition, lock.mutex, &time)
        #else
            var end = timespec()
            clock_gettime(CLOCK_MONOTONIC, &end)
            let sum = UInt64(end.tv_nsec) + nanoseconds % 1_000_000_000
            end.tv_sec += Int(nanoseconds / 1_000_000_000 + sum / 1_000_000_000)
            end.tv_nsec = Int(sum % 1_000_000_000)
            pthread_cond_timedwait(condition, lock.mutex, &end)
        #endif
    }
    package func signal() { pthread_cond_signal(condition) }
    package func broadcast() { pthread_cond_broadcast(condition) }
}
