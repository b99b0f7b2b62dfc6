import CommitLog

/// Decides what is kept, from what there is and what is needed. A function of its input alone, so that a dry run and the
/// run that follows it agree.
struct RetentionPlan {
    let retention: Retention
    /// The oldest first.
    let snapshots: [SnapshotSummary]
    /// The sealed segments whose files are there, the oldest first.
    let segments: [CataloguedSegment]
    let now: UInt64
    let sequence: UInt64
    /// What views and backups need.
    var pinnedSnapshots: Set<UInt64> = []
    var pinnedSegmentsFrom: UInt64?

    var decisions: [RetentionDecision] { snapshotDecisions + segmentDecisions }

    // MARK: - Snapshots

    /// The two newest verified snapshots: recovery goes on from the newer, or else from the older.
    private var neededByRecovery: [SnapshotSummary] { Array(snapshots.filter(\.isVerified).suffix(2)) }

    private var snapshotDecisions: [RetentionDecision] {
        var rank = Rank(retention.snapshots)
        return snapshots.reversed().map { snapshot in
            let bytes = snapshot.byteCount
            var decision = RetentionDecision(
                item: .snapshot(snapshot.id), file: StateFile.name, byteCount: bytes, action: .keep, reason: "")
            if let reason = need(of: snapshot) {
                decision.reason = reason
                rank.pass(bytes)
            } else if snapshot.reason == .memory || snapshot.reason == .close {
                decision.action = .reclaim
                decision.reason =
                    "it was taken for the moment (\(snapshot.reason.rawValue)), and newer ones are verified"
            } else {
                let excess = rank.excess(
                    bytes, age: age(snapshot.createdAt), commits: sequence - min(sequence, snapshot.sequence))
                decide(&decision, excess, snapshot.mark, snapshot.deprecatedAt)
            }
            return decision
        }.reversed()
    }

    private func need(of snapshot: SnapshotSummary) -> String? {
        if pinnedSnapshots.contains(snapshot.id) { return "a view or a backup reads it" }
        if neededByRecovery.contains(snapshot) { return "recovery needs it" }
        if let newest = snapshots.last(where: \.isVerified), snapshot.id > newest.id {
            return "it is newer than any verified one"
        }
        return snapshots.contains(where: \.isVerified) ? nil : "no snapshot is verified"
    }

    // MARK: - Segments

    private var segmentDecisions: [RetentionDecision] {
        var rank = Rank(retention.segments)
        return segments.reversed().map { segment in
            var decision = RetentionDecision(
                item: .segment(segment.number), file: LogNames.segment(segment.number), byteCount: segment.byteCount,
                action: .keep, reason: "")
            if segment.reclaimedAt != nil {
                decision.action = .reclaim
                decision.reason = "it was reclaimed before, and its file is still there"
            } else if let reason = need(of: segment) {
                decision.reason = reason
                rank.pass(segment.byteCount)
            } else {
                let excess = rank.excess(
                    segment.byteCount, age: age(segment.lastTimestamp),
                    commits: sequence - min(sequence, segment.lastSequence))
                decide(&decision, excess, segment.mark, segment.deprecatedAt)
            }
            return decision
        }.reversed()
    }

    private func need(of segment: CataloguedSegment) -> String? {
        guard let oldest = neededByRecovery.first else { return "no verified snapshot covers it" }
        if segment.number >= oldest.segment { return "recovery needs it" }
        if let from = pinnedSegmentsFrom, segment.number >= from { return "a view or a backup reads it" }
        return nil
    }

    // MARK: - Both

    private func decide(
        _ decision: inout RetentionDecision, _ excess: String?, _ mark: HandMark, _ deprecatedAt: UInt64?
    ) {
        guard let excess = mark == .deprecated ? "it was deprecated by hand" : excess else {
            decision.reason = "it is within the limits"
            decision.isTakenBack = deprecatedAt != nil
            return
        }
        if mark == .kept {
            decision.reason = "it is kept by hand, though \(excess)"
            return
        }
        let grace = retention.grace.microseconds
        let since = deprecatedAt ?? now
        if now >= since, now - since >= grace {
            decision.action = .reclaim
            decision.reason = excess
        } else {
            decision.action = deprecatedAt == nil ? .deprecate : .wait
            decision.reason = excess
        }
    }

    private func age(_ time: UInt64) -> UInt64 { now.since(time) }

    /// Compares items, the newest first, with the limits.
    private struct Rank {
        let limits: Retention.Limits
        var count = 0
        var byteCount = 0

        init(_ limits: Retention.Limits) { self.limits = limits }

        mutating func pass(_ bytes: Int) {
            count += 1
            byteCount += bytes
        }

        /// Which limit an item goes beyond; `nil` for none.
        mutating func excess(_ bytes: Int, age: UInt64, commits: UInt64) -> String? {
            pass(bytes)
            if let max = limits.age, age > max.microseconds { return "it is older than \(max)" }
            if let max = limits.count, count > max { return "there are \(count - 1) newer ones, and \(max) are kept" }
            if let max = limits.byteCount, byteCount > max {
                return "with the newer ones it takes \(byteCount) bytes, and \(max) are kept"
            }
            if let max = limits.commitCount, commits >= max {
                return "it lies \(commits) commits back, and \(max) are kept"
            }
            return nil
        }
    }
}

extension Duration {
    /// In microseconds; 0 if negative, at most some 292,000 years.
    var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 9_000_000_000_000)) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
    }
}
