import Threading

/// Where the flushes of a segment come from, in order.
package protocol FlushSource: AnyObject {
    /// The next step; the records of the one before are no longer valid.
    func next() throws(DiskError) -> SegmentReader.Step
}

extension SegmentReader: FlushSource {}

/// A segment's flushes, read and verified on a thread of their own, ahead of who applies them.
package final class ReadAhead: FlushSource {
    private let shared: Shared
    private let thread: WorkerThread
    /// Steps taken over from the thread and not yet given, the next one last.
    private var taken: [Shared.Item] = []
    private var current: ParsedFlush?

    package init(_ reader: SegmentReader) {
        let shared = Shared(reader)
        self.shared = shared
        thread = WorkerThread { shared.readOn() }
        thread.wake()
    }

    deinit { shared.stop() }

    package func next() throws(DiskError) -> SegmentReader.Step {
        if taken.isEmpty { taken = shared.takeAll(recycling: current).reversed() } else { shared.recycle(current) }
        current = nil
        let step = try taken.removeLast().get()
        if case .flush(let flush) = step { current = flush.records }
        return step
    }

    /// `@unchecked Sendable`, because `reader` is the thread's alone, and all else is touched under `lock` only; the
    /// records in an item belong to whoever has the item.
    private final class Shared: @unchecked Sendable {
        typealias Item = Result<SegmentReader.Step, DiskError>

        /// The thread waits when this much is ready, and goes on when half of it is left.
        private static let byteCountMax = 8 << 20

        private let reader: SegmentReader
        private let lock = Lock()
        private let somethingIsReady = Condition()
        private let thereIsRoom = Condition()
        private var ready: [Item] = []
        private var readyBytes = 0
        private var used: [ParsedFlush] = []
        private var isStopped = false

        init(_ reader: SegmentReader) { self.reader = reader }

        func stop() {
            lock.withLock { isStopped = true }
            thereIsRoom.signal()
        }

        /// The thread's job: reads up to the first step that is not a flush, or until stopped.
        func readOn() {
            var goesOn = true
            while goesOn {
                let content = lock.withLock { used.popLast() } ?? ParsedFlush()
                let item = Result { () throws(DiskError) in try reader.next(into: content) }
                var byteCount = 0
                if case .success(.flush(let flush)) = item { byteCount = flush.byteCount } else { goesOn = false }
                lock.lock()
                while readyBytes + byteCount > Self.byteCountMax, !ready.isEmpty, !isStopped { thereIsRoom.wait(lock) }
                ready.append(item)
                readyBytes += byteCount
                if isStopped { goesOn = false }
                lock.unlock()
                somethingIsReady.signal()
            }
        }

        /// All that is ready, at least one; waits for it.
        func takeAll(recycling content: ParsedFlush?) -> [Item] {
            lock.lock()
            if let content { used.append(content) }
            while ready.isEmpty { somethingIsReady.wait(lock) }
            let items = ready
            ready = []
            readyBytes = 0
            lock.unlock()
            thereIsRoom.signal()
            return items
        }

        func recycle(_ content: ParsedFlush?) {
            guard let content else { return }
            lock.withLock { used.append(content) }
        }
    }
}
