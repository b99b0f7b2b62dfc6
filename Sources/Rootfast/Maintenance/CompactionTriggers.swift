/// What makes maintenance take a snapshot, so that the log before it is needed no more: whichever comes first.
public struct CompactionTriggers: Hashable, Sendable {
    /// So many bytes of log since the last snapshot.
    public var logByteCount: Int? = 256 << 20
    /// So many commits since the last snapshot.
    public var commitCount: UInt64?
    /// This share of what the last snapshot and the log since hold was overwritten or deleted: 0 ... 1. Looked at once
    /// there are 1 MiB of log.
    public var deadShare: Double?
    /// So much time since the last snapshot, if anything was committed.
    public var interval: Duration?

    public init() {}

    /// Whether each is within its range: none is due without anything having happened.
    var isPossible: Bool {
        (logByteCount ?? 1) > 0 && (commitCount ?? 1) > 0 && (0...1).contains(deadShare ?? 0)
            && (interval ?? .seconds(1)) > .zero
    }

    /// By hand alone.
    public static var none: CompactionTriggers {
        var triggers = CompactionTriggers()
        triggers.logByteCount = nil
        return triggers
    }
}

/// How far a store has gone on since its last snapshot.
struct Growth: Hashable, Sendable {
    var logByteCount = 0
    var commitCount: UInt64 = 0
    /// Changes in the log since, and keys at the snapshot.
    var changeCount = 0
    var keyCountBefore = 0
    var keyCount = 0
    /// Bytes of pages that cannot leave memory before the next snapshot.
    var unstoredBytes = 0

    /// The share of changes that later ones made dead.
    var deadShare: Double {
        let all = keyCountBefore + changeCount
        return all == 0 ? 0 : 1 - Double(min(keyCount, all)) / Double(all)
    }
}

extension CompactionTriggers {
    /// Which trigger is due, apart from the interval.
    func due(_ growth: Growth) -> Bool {
        if let max = logByteCount, growth.logByteCount >= max { return true }
        if let max = commitCount, growth.commitCount >= max { return true }
        if let max = deadShare, growth.logByteCount >= 1 << 20, growth.deadShare >= max { return true }
        return false
    }
}
