import CommitLog
import SQLite

/// A retention run, step by step: what is beyond the limits is deprecated, what was so for long enough is reclaimed, and
/// the space is given back to the file system.
///
/// Every step may be cut short by a crash. A segment is noted as reclaimed, durably, before its file is removed; a file
/// that is still there then is removed by the next run.
final class RetentionRun {
    private enum Stage { case deciding, freeing, vacuuming, done }

    private static let rowsPerStep = 1024
    private static let vacuumedPagesPerStep = 256

    private let file: StateFile
    private let disk: any Disk
    /// Makes the plan. Nothing may be pinned between that and its being carried out, so both are one step.
    private let plan: () throws(StoreError) -> RetentionPlan
    /// The newest snapshot such that no view shows what was dropped up to it.
    private let droppedUpTo: UInt64
    private var stage = Stage.deciding
    private(set) var decisions: [RetentionDecision] = []

    init(
        _ file: StateFile, _ disk: any Disk, droppedUpTo: UInt64, plan: @escaping () throws(StoreError) -> RetentionPlan
    ) {
        self.file = file
        self.disk = disk
        self.droppedUpTo = droppedUpTo
        self.plan = plan
    }

    /// Does a part; false once all is done.
    func step() throws(StoreError) -> Bool {
        switch stage {
        case .deciding:
            let plan = try plan()
            decisions = plan.decisions
            try carryOut(at: plan.now)
            stage = .freeing
        case .freeing:
            let goesOn = try wrapping { () throws(SQLiteError) in
                defer { file.checkpointSoftly() }
                return try file.reclaim(countMax: Self.rowsPerStep, droppedUpTo: droppedUpTo)
            }
            if !goesOn { stage = .vacuuming }
        case .vacuuming:
            let goesOn = try wrapping { () throws(SQLiteError) in
                defer { file.checkpointSoftly() }
                return try file.giveBackSpace(pageCountMax: Self.vacuumedPagesPerStep)
            }
            guard !goesOn else { break }
            file.checkpoint()
            stage = .done
        case .done: break
        }
        if case .done = stage { return false }
        return true
    }

    private func wrapping<R>(_ body: () throws(SQLiteError) -> R) throws(StoreError) -> R {
        try StoreError.wrapping(body)
    }

    private func carryOut(at now: UInt64) throws(StoreError) {
        var segments: [UInt64] = []
        for decision in decisions {
            switch (decision.action, decision.item) {
            case (.keep, let item): if decision.isTakenBack { try setDeprecated(item, at: nil) }
            case (.wait, _): break
            case (.deprecate, let item): try setDeprecated(item, at: now)
            case (.reclaim, .snapshot(let id)):
                try wrapping { () throws(SQLiteError) in try file.removeSnapshot(id) }
            case (.reclaim, .segment(let number)): segments.append(number)
            }
        }
        try reclaim(segments, now)
    }

    private func setDeprecated(_ item: RetentionItem, at time: UInt64?) throws(StoreError) {
        try wrapping { () throws(SQLiteError) in
            switch item {
            case .snapshot(let id): try file.setDeprecated(snapshot: id, at: time, .none)
            case .segment(let number): try file.setDeprecated(segment: number, at: time, .none)
            }
        }
    }

    private func reclaim(_ numbers: [UInt64], _ now: UInt64) throws(StoreError) {
        guard !numbers.isEmpty else { return }
        try wrapping { () throws(SQLiteError) in try file.setReclaimed(segments: numbers, at: now) }
        try StoreError.wrapping { () throws(DiskError) in
            for number in numbers { try disk.remove(LogNames.segment(number)) }
            try disk.syncFolder(LogNames.folder)
        }
    }
}
