import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opened once, by one thread, for another that waits for it: what was written before it opens is seen behind it.
///
/// A semaphore, not a condition with its lock: waking is one system call then and not two, as who comes back from a
/// condition leaves its lock marked as wanted by others. Who finds it open needs none.
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
        /// Closed, open, or where the thread waits that came before it was opened: the address of a semaphore.
        private let state = Atomic<UInt>(closed)
        private static let closed: UInt = 0
        private static let opened: UInt = 1

        package init() {}

        package var isOpen: Bool { state.load(ordering: .acquiring) == Self.opened }

        package func open() {
            let before = state.exchange(Self.opened, ordering: .acquiringAndReleasing)
            precondition(before != Self.opened, "a gate is opened once")
            guard let semaphore = UnsafeMutablePointer<sem_t>(bitPattern: before) else { return }
            sem_post(semaphore)
        }

        /// Blocks the thread until it is open.
        package func wait() {
            if isOpen { return }
            // On the stack: who posts does not touch it once the wait may be over.
            withUnsafeTemporaryAllocation(of: sem_t.self, capacity: 1) { memory in
                let semaphore = memory.baseAddress!
                sem_init(semaphore, 0, 0)
                let (isWaiting, _) = state.compareExchange(
                    expected: Self.closed, desired: UInt(bitPattern: semaphore), ordering: .acquiringAndReleasing)
                if isWaiting { while sem_wait(semaphore) != 0 {} }
                sem_destroy(semaphore)
            }
        }
    #endif
}
