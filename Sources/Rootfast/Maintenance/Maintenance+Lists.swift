import CommitLog
import SQLite

/// A durable copy of the state at a sequence.
public struct SnapshotInfo: Hashable, Sendable {
    public var id: UInt64
    /// The last commit in it.
    public var sequence: UInt64
    /// The root of the state, 64 hexadecimal digits.
    public var root: String
    public var keyCount: Int
    /// The segment of the log that goes on from it.
    public var segment: UInt64
    public var reason: SnapshotReason
    /// In microseconds since 1970.
    public var createdAt: UInt64
    /// Whether it was read back after it was written.
    public var isVerified: Bool
    /// Since when it is deprecated.
    public var deprecatedAt: UInt64?
    /// Whether it was taken back by hand, so that no limit deprecates it.
    public var isKept: Bool
}

/// A segment of the log.
public struct SegmentInfo: Hashable, Sendable {
    public var number: UInt64
    /// The file, relative to the store's folder.
    public var file: String
    /// The commits in it: none if `lastSequence` is less than `firstSequence`. Of the newest not known.
    public var firstSequence: UInt64?
    public var lastSequence: UInt64?
    public var byteCount: Int
    public var isSealed: Bool
    public var deprecatedAt: UInt64?
    public var isKept: Bool
}

/// What a compaction would do now, and gain.
public struct CompactionPreview: Hashable, Sendable {
    /// What a snapshot would hold that the last one does not.
    public var commitCount: UInt64
    public var logByteCount: Int
    /// The share of what the last snapshot and the log since hold that was overwritten or deleted.
    public var deadShare: Double
    /// Segments of which recovery would need none any more, and their bytes. Retention decides when they go.
    public var freedSegments: [UInt64]
    public var freedByteCount: Int
}

extension Maintenance {
    /// The snapshots that are there, the oldest first.
    public func snapshots() throws(StoreError) -> [SnapshotInfo] {
        try withPlan { plan in
            plan?.snapshots.map { snapshot in
                SnapshotInfo(
                    id: snapshot.id, sequence: snapshot.sequence, root: snapshot.root, keyCount: snapshot.keyCount,
                    segment: snapshot.segment, reason: snapshot.reason, createdAt: snapshot.createdAt,
                    isVerified: snapshot.isVerified, deprecatedAt: snapshot.deprecatedAt, isKept: snapshot.mark == .kept
                )
            } ?? []
        }
    }

    /// The segments of the log that are there, the oldest first.
    public func segments() throws(StoreError) -> [SegmentInfo] {
        let known = try withPlan { plan in plan?.segments ?? [] }
        let newest = try queue.durableTip().segment
        return try withHistory { (history) throws(StoreError) in
            try StoreError.wrapping { () throws(DiskError) in
                var segments: [SegmentInfo] = []
                for number in try history.disk.list(LogNames.folder).compactMap({ LogNames.segmentNumber($0) }) {
                    let name = LogNames.segment(number)
                    guard let file = try history.disk.open(name, .read) else { continue }
                    let catalogued = known.first { $0.number == number }
                    segments.append(
                        SegmentInfo(
                            number: number, file: name, firstSequence: catalogued?.firstSequence,
                            lastSequence: catalogued?.lastSequence, byteCount: try file.byteCount(),
                            isSealed: number < newest, deprecatedAt: catalogued?.deprecatedAt,
                            isKept: catalogued?.mark == .kept))
                }
                return segments
            }
        }
    }

    /// What `takeSnapshot` would do now, and what retention could then let go of. Changes nothing.
    public func compactionPreview() throws(StoreError) -> CompactionPreview {
        let growth = currentGrowth
        let before = try snapshots().last(where: \.isVerified)
        // The snapshot seals the newest segment; but while it is the only one, or the second, recovery needs the log since.
        let end = if let before { before.segment } else { try segmentAfterSealing() }
        let freed = try segments().filter { $0.number < end }
        return CompactionPreview(
            commitCount: growth.commitCount, logByteCount: growth.logByteCount, deadShare: growth.deadShare,
            freedSegments: freed.map(\.number), freedByteCount: freed.reduce(0) { $0 + $1.byteCount })
    }

    /// Which segment is the newest once that is sealed which is now: the same, if it has no record yet.
    private func segmentAfterSealing() throws(StoreError) -> UInt64 {
        let tip = try queue.durableTip()
        let name = LogNames.segment(tip.segment)
        return try withHistory { (history) throws(StoreError) in
            let file = try StoreError.wrapping { () throws(DiskError) in try history.disk.open(name, .read) }
            guard let file, try SegmentHeader.reading(file, name).n == tip.n else { return tip.segment + 1 }
            return tip.segment
        }
    }
}
