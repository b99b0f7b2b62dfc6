/// What maintenance has done since a store was opened.
public struct MaintenanceStatistics: Hashable, Sendable {
    public var snapshotCount = 0
    /// Pages and bytes that snapshots added to the state file, and how long they took together, in microseconds.
    public var pageCount = 0
    public var byteCount = 0
    public var duration: UInt64 = 0
    public var lastSnapshot: SnapshotReport?
    public var retentionCount = 0
    /// Snapshots and segments that were reclaimed, and the bytes of the segments.
    public var reclaimedCount = 0
    public var reclaimedByteCount = 0
    public var failureCount = 0
    public var lastError: StoreError?

    public init() {}

    mutating func add(_ report: SnapshotReport) {
        snapshotCount += 1
        pageCount += report.pageCount
        byteCount += report.byteCount
        duration += report.finishedAt - min(report.finishedAt, report.startedAt)
        lastSnapshot = report
    }

    mutating func add(_ decisions: [RetentionDecision]) {
        retentionCount += 1
        for decision in decisions where decision.action == .reclaim {
            reclaimedCount += 1
            reclaimedByteCount += decision.byteCount
        }
    }
}
