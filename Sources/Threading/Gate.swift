#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opened once, by one thread, for another that waits for it: what was written before it opens is seen behind it.
///
/// A semaphore, not a condition with its lock: waking is one system call then and not two, as who comes back from a
/// condition leaves its lock marked as wanted by others.
/// `@unchecked Sendable`, because the stored properties are constant, and made for use from any thread.
package struct Gate: ~Copyable, @unchecked Sendable {
    #if canImport(Darwin)
        // There are no semaphores without a name.
        private let lock = Lock()
        private let condition = Condition()
        private let hasOpened: UnsafeMutablePointer<Bool>

        package init() {
            hasOpened = .allocate(capacity: 1)
            hasOpened.initialize(to: false)
        }

        deinit { hasOpened.deallocate() }

        package var isOpen: Bool { lock.withLock { hasOpened.pointee } }

        package func open() {
            lock.withLock { hasOpened.pointee = true }
            condition.signal()
        }

        /// Blocks the thread until it is open.
        package func wait() { lock.withLock { while !hasOpened.pointee { condition.wait(lock) } } }
    #else
        private let semaphore: UnsafeMutablePointer<sem_t>

        package init() {
            semaphore = .allocate(capacity: 1)
            semaphore.initialize(to: sem_t())
            sem_init(semaphore, 0, 0)
        }

        deinit {
            sem_destroy(semaphore)
            semaphore.deallocate()
        }

        /// False again once somebody went through.
        package var isOpen: Bool {
            var count: Int32 = 0
            sem_getvalue(semaphore, &count)
            return count > 0
        }

        package func open() { sem_post(semaphore) }

        /// Blocks the thread until it is open.
        package func wait() { while sem_wait(semaphore) != 0 {} }
    #endif
}
