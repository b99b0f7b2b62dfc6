import CommitLog
import Threading

extension Maintenance {
    /// Keeps what is pinned from being reclaimed as long as it lives.
    final class Pin: Sendable {
        private let maintenance: Maintenance
        private let snapshots: [UInt64]
        private let segment: UInt64?

        fileprivate init(_ maintenance: Maintenance, _ snapshots: [UInt64], _ segment: UInt64?) {
            self.maintenance = maintenance
            self.snapshots = snapshots
            self.segment = segment
        }

        deinit { maintenance.unpin(snapshots, segment) }
    }

    /// Pins the newest snapshot that is not beyond a sequence, and the log from a segment on. A snapshot that is still
    /// being taken may yet be given up: it cannot be pinned.
    func pin(snapshotsUpTo sequence: UInt64, segment: UInt64?) throws(StoreError) -> Pin {
        try work.withLock { () throws(StoreError) in
            guard let place else { throw Self.closed }
            var ids: [UInt64] = []
            if try Store.exists(StateFile.name, on: place.disk) {
                ids = try plan(place).snapshots.filter { $0.sequence <= sequence && $0.id <= previous.id }.suffix(1)
                    .map(\.id)
            }
            lock.withLock {
                for id in ids { shared.pinnedSnapshots[id, default: 0] += 1 }
                if let segment { shared.pinnedSegments[segment, default: 0] += 1 }
            }
            return Pin(self, ids, segment)
        }
    }

    private func unpin(_ snapshots: [UInt64], _ segment: UInt64?) {
        lock.withLock {
            for id in snapshots { Self.release(id, in: &shared.pinnedSnapshots) }
            if let segment { Self.release(segment, in: &shared.pinnedSegments) }
        }
    }

    private static func release(_ key: UInt64, in pins: inout [UInt64: Int]) {
        let count = pins[key] ?? 0
        pins[key] = count > 1 ? count - 1 : nil
    }

    static let closed = StoreError(.closed, "The store is closed", advice: "Open it again.")

    /// What there is of the past. Pin first what is to be found there.
    func withHistory<R>(_ body: (History) throws(StoreError) -> R) throws(StoreError) -> R {
        guard let place = work.withLock({ place }) else { throw Self.closed }
        var machineOptions = StateMachine.Options(options, environment)
        machineOptions.memoryBytesMax = max(1 << 20, options.memoryBytesMax / 8)
        return try body(
            History(
                disk: place.disk, file: place.file, machineOptions: machineOptions,
                readsAhead: environment.usesThreads))
    }
}
