import CommitLog
import Rootfast
import SpecSupport

extension Specimen {
    /// How a damage shows.
    enum Finding: String {
        case refused = "refused by open"
        case tornTail = "torn tail"
        case cutOff = "cut off where nothing vouches for it"
        case passedOver = "snapshot passed over"
        case read = "seen by a read"
        case outcome = "an outcome differs, seen by check"
        case check = "seen by check"
        case emptyTail = "torn tail without a flush"
        case harmless = "harmless"

        /// Whether the store answers all as if nothing had happened.
        var changesNothing: Bool { [.passedOver, .check, .emptyTail, .harmless].contains(self) }
    }

    /// What became of damaged files.
    struct Judgement {
        var finding: Finding
        /// Whether check found nothing wrong.
        var isSound = false
        var disk = SimulatedDisk()
        var store: Store?
    }

    /// Checks and opens damaged files. Fails unless what is wrong is told, or makes no difference.
    func judge(_ damage: Damage) throws -> Judgement {
        let damaged = damage.done(to: files)
        let report = try check(damaged)
        if report.verdict == .damaged, let segment = damage.segment {
            try expectEqual(report.damage?.place?.file, segment, "another file is named:")
        }
        let disk = SimulatedDisk(files: damaged)
        let store: Store
        do {
            store = try Scenario.open(disk, options, creating: true)
        } catch let error as StoreError {
            try expect(error.code == .corrupt && error.place?.file.isEmpty == false, "opening fails: \(error)")
            try expect(report.verdict == .damaged, "check finds nothing wrong with what does not open: \(error)")
            return Judgement(finding: .refused)
        }
        let model = try state(of: store, damaged).model
        var judgement = Judgement(finding: .harmless, isSound: report.verdict != .damaged, disk: disk, store: store)
        if judgement.isSound {
            try expectAgreement(report, store)
            try store.expect(holding: model)
            judgement.finding = try finding(in: store) ?? .harmless
            try expect(!damage.isOfLog || judgement.finding != .harmless, "a changed byte of the log is passed over")
        } else {
            judgement.finding = try findingByReads(of: store, model)
        }
        return judgement
    }

    private func expectAgreement(_ report: CheckReport, _ store: Store) throws {
        try expect(report.root == store.root && report.sequence == store.view.sequence, "check sees another state")
        try expect((report.tornTail == nil) == (store.recovery.tornTail == nil), "check and open disagree")
        try expect(store.recovery.badSnapshots.isEmpty, "a bad snapshot that check does not see")
    }

    /// What is found by reading all of a store that check has found damaged.
    private func findingByReads(of store: Store, _ model: StoreModel) throws -> Finding {
        do {
            try store.expect(entriesOf: model)
        } catch let error as StoreError where error.code == .corrupt {
            return .read
        }
        do { try store.expect(outcomesOf: model) } catch { return .outcome }
        if let finding = try finding(in: store), finding != .emptyTail { return finding }
        return store.recovery.snapshotID == snapshotID ? .check : .passedOver
    }

    /// What check says, which must not fail.
    private func check(_ damaged: Damage.Files) throws -> CheckReport {
        let result = Result { () throws(StoreError) in
            try Store.check(SimulatedDisk(files: damaged), isBeingWritten: false, .deterministic())
        }
        let report = try? result.get()
        try expect(report != nil, "check fails: \(result)")
        if report!.verdict == .damaged {
            try expect(report!.damage?.place?.file.isEmpty == false, "damage without a place: \(report!)")
        }
        return report!
    }

    /// The state that the store has come back in: one that it was in, with all that must have been kept.
    private func state(of store: Store, _ damaged: Damage.Files) throws -> Scenario.State {
        let n = try store.status().recordNumber
        let kept = kept(damaged)
        try expect(n == end.n || n == kept.end.n, "the log ends at record \(n), and should at \(kept.end.n)")
        let state = states.last { $0.model.recordNumber == n }
        try expect(state != nil, "there never was a record \(n)")
        try expectEqual(StoreFace(store), state!.face, "silently another state:")
        if n < end.n, kept.leavesTail { try expect(store.recovery.tornTail != nil, "a torn tail is not told of") }
        return state!
    }

    private func finding(in store: Store) throws -> Finding? {
        let isShorter = try store.status().recordNumber < end.n
        if store.recovery.tornTail != nil { return isShorter ? .tornTail : .emptyTail }
        return isShorter ? .cutOff : nil
    }

    /// Goes on with a store that opened as if nothing had happened, through all that maintenance does. Whatever it answers
    /// must be right; it may refuse where check had found damage. Returns whether it came to the end.
    func goOn(from judgement: Judgement) throws -> Bool {
        let store = judgement.store!
        var model = states.last { $0.model.recordNumber == end.n }!.model
        do {
            for round in UInt8(0)..<3 {
                let changes = (0..<20).map { Change(key: Array("key \(13 * $0)".utf8), value: [round]) }
                let free = changes.filter { model.holder(of: $0.key) == nil }
                try store.write { tx in for change in free { try tx.put(change.key, change.value!) } }
                model.commit(free)
                _ = try store.maintenance.compact()
            }
            try store.expect(entriesOf: model)
            try store.close()
            let again = try Scenario.open(judgement.disk, options)
            try again.expect(entriesOf: model)
            try expect(again.root == model.root, "another root after going on")
            guard judgement.isSound else { return true }
            try again.expect(outcomesOf: model)
            let report = try check(judgement.disk.files)
            try expect(report.verdict != .damaged, "damaged by going on: \(report)")
            return true
        } catch let error as StoreError where !judgement.isSound {
            try expect(error.code != .noStore, "\(error)")
            return false
        }
    }
}
