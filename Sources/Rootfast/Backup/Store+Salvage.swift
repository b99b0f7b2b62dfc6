import CommitLog
import Hashing
import SQLite
import StateTree

/// What could be brought out of a damaged store, and what could not.
public struct SalvageReport: Hashable, Sendable {
    /// The copy.
    public var copy: CopyReport
    /// Whether the copy is a whole state of the store, at a root that its log or a snapshot recorded. Otherwise it holds
    /// the keys of one snapshot that can be proven to have been in it, and others are missing.
    public var isWhole: Bool
    /// What the state was taken from, in words.
    public var source: String
    /// What could not be proven, in words: snapshots, pages, the log.
    public var losses: [String]
}

extension Store {
    /// Brings out of a damaged store all that can be proven, into a new store with a uuid of its own. The damaged one is
    /// not changed.
    ///
    /// Every way to a whole state is tried: each snapshot and the log's beginning, each with as much of the log as is
    /// sound; the one that leads farthest is taken, with the transactions in doubt there and the outcomes. If there is
    /// none, the keys of the newest snapshot whose pages lead up to its root.
    ///
    /// - Parameter target: a folder that is empty or not there.
    /// - Throws: `noStore`, `corrupt` if nothing can be proven, `invalidArgument`, `noSpace`, `inputOutput`.
    public static func salvage(
        _ path: String, to target: String, options: Options = Options()
    ) throws(StoreError) -> SalvageReport {
        try Salvage(FileDisk.opening(path, .readOnly), options).run(into: target)
    }
}

/// See `Store.salvage`.
struct Salvage {
    private let disk: any Disk
    private let options: Options
    private let environment = Environment.system()
    private let file: StateFile?
    private let store: StoreID?

    init(_ disk: any Disk, _ options: Options) throws(StoreError) {
        self.disk = disk
        self.options = options
        store = Self.uuid(on: disk)
        let isThere = try Store.exists(StateFile.name, on: disk)
        if let store, isThere {
            file = StateFile(on: disk, store: store, StateFile.isAlone(on: disk) ? .immutable : .readOnly)
        } else {
            file = nil
        }
    }

    /// What names the store: its manifest, or else the first line of any segment.
    private static func uuid(on disk: any Disk) -> StoreID? {
        if let manifest = try? Manifest.read(from: disk) { return manifest.store }
        for number in (try? Replay.segmentNumbers(on: disk)) ?? [] {
            guard let file = try? disk.open(LogNames.segment(number), .read),
                let header = try? SegmentHeader.read(from: file).header
            else { continue }
            return header.store
        }
        return nil
    }

    func run(into target: String) throws(StoreError) -> SalvageReport {
        guard let store else { throw .noStore }
        var losses: [String] = []
        var best: (state: History.State, source: String)?
        for start in starts(&losses) {
            guard let (state, source) = prove(start, store, upTo: .max, &losses) else { continue }
            if best.map({ state.tip.n > $0.state.tip.n }) ?? true { best = (state, source) }
        }
        if let best {
            let copy = try copy(best.state.machine, at: best.state.tip, to: target)
            return SalvageReport(copy: copy, isWhole: true, source: best.source, losses: losses)
        }
        return try salvageKeys(to: target, losses)
    }

    // MARK: - Whole states

    /// A snapshot, or with `nil` the log's beginning.
    private func starts(_ losses: inout [String]) -> [SnapshotRow?] {
        var starts: [SnapshotRow?] = []
        for row in rows(&losses) { starts.append(row) }
        if Replay.logBeginsWithStore(on: disk) == true { starts.append(nil) }
        return starts
    }

    /// The snapshots whose rows are whole, the newest first.
    private func rows(_ losses: inout [String]) -> [SnapshotRow] {
        guard let file else { return [] }
        var rows: [SnapshotRow] = []
        do throws(SQLiteError) {
            let ids = try file.readers.read { connection throws(SQLiteError) in try file.snapshotIDs(connection) }
            for id in ids {
                switch try file.readers.read({ connection throws(SQLiteError) in try file.snapshot(id, connection) }) {
                case .success(let row): rows.append(row)
                case .failure(let fault): losses.append(fault.description)
                }
            }
        } catch {
            losses.append("the state file: \(error.message)")
        }
        return rows
    }

    private func machineOptions() -> StateMachine.Options {
        var machineOptions = StateMachine.Options(options, environment)
        machineOptions.file = file
        return machineOptions
    }

    /// Goes from a start as far as the log is sound, and proves that the whole state there is.
    private func prove(
        _ start: SnapshotRow?, _ store: StoreID, upTo n: UInt64, _ losses: inout [String]
    ) -> (History.State, String)? {
        let name = start.map { "snapshot \($0.id)" } ?? "the log's beginning"
        do throws(StoreError) {
            let machine: StateMachine
            if let start {
                machine = try StateMachine(start, in: file!, machineOptions())
                try provePages(of: machine.tree.freeze(hashing: true))
            } else {
                machine = StateMachine(machineOptions())
            }
            let tip = start?.tip ?? LogTip(newStore: store, root: machine.tree.root(), timestamp: 0)
            let (end, loss) = try replay(into: machine, from: tip, isInside: start != nil, upTo: n)
            if let loss { losses.append("from \(name): \(loss.reason)") }
            // What a wrong flush left in the machine goes with the machine.
            if loss?.spoilsMachine == true { return prove(start, store, upTo: end.n, &losses) }
            return (History.State(machine: machine, tip: end), "\(name) and the log up to record \(end.n)")
        } catch {
            losses.append("\(name): \(error.message)")
            return nil
        }
    }

    /// Reads every page and every long value.
    private func provePages(of view: TreeView) throws(StoreError) {
        do {
            try view.forEach(from: nil, to: nil) { _, _ in true }
        } catch {
            throw StoreError(error as! PageError)
        }
    }

    /// Replays what is sound, up to a record; tells why it went no further.
    private func replay(
        into machine: StateMachine, from start: LogTip, isInside: Bool, upTo n: UInt64
    ) throws(StoreError) -> (tip: LogTip, loss: Loss?) {
        var tip = start
        var isInside = isInside
        while true {
            let name = LogNames.segment(isInside ? tip.segment : tip.segment + 1)
            guard let file = try? disk.open(name, .read), let header = try? SegmentHeader.read(from: file) else {
                return (tip, try lossBehind(tip, name).map { Loss($0) })
            }
            let begun = LogTip(header.header, offset: header.offset)
            if isInside {
                do { try tip.checkPlace(in: file, name, behind: begun) } catch {
                    return (tip, Loss("\(name): \(error.message)"))
                }
                isInside = false
            } else {
                guard begun.n == tip.n, begun.seq == tip.seq, begun.root == tip.root, begun.store == tip.store else {
                    return (tip, Loss("\(name) does not go on from record \(tip.n)"))
                }
                tip = begun
            }
            let reader = SegmentReader(file, from: tip)
            reading: while true {
                guard let step = try? reader.next() else {
                    return (tip, Loss("\(name) cannot be read behind record \(tip.n)"))
                }
                switch step {
                case .flush(let flush):
                    guard flush.tip.n <= n else { return (tip, nil) }
                    guard try apply(flush, to: machine) else {
                        return (tip, Loss("\(name), byte \(flush.offset): the root is wrong", spoilsMachine: true))
                    }
                    tip = flush.tip
                case .end: break reading
                case .gap(let gap): return (tip, Loss("\(name), byte \(gap.offset): \(gap.reason)"))
                case .unsound(let offset, let reason): return (tip, Loss("\(name), byte \(offset): \(reason)"))
                }
            }
        }
    }

    /// Why the log leads no further.
    private struct Loss {
        var reason: String
        /// Whether what could not be applied was applied in part.
        var spoilsMachine = false

        init(_ reason: String, spoilsMachine: Bool = false) {
            self.reason = reason
            self.spoilsMachine = spoilsMachine
        }
    }

    /// Applies a flush; answers whether what it leads to is what it says.
    private func apply(_ flush: SegmentReader.Flush, to machine: StateMachine) throws(StoreError) -> Bool {
        let fault = try StoreError.wrapping { () throws(PageError) in
            let fault = try machine.replay(flush.records)
            try machine.settle()
            return fault
        }
        return fault == nil && machine.tree.root() == flush.tip.root
    }

    /// What is missing behind the last segment that could be read; `nil` if nothing shows that there was more.
    private func lossBehind(_ tip: LogTip, _ name: String) throws(StoreError) -> String? {
        let numbers = try Replay.segmentNumbers(on: disk)
        let newest = (try? Manifest.read(from: disk))??.segment ?? numbers.max() ?? 0
        return newest > tip.segment ? "\(name) is missing or has no first line" : nil
    }

    private func copy(_ machine: StateMachine, at tip: LogTip, to target: String) throws(StoreError) -> CopyReport {
        var copy = try StoreCopy(
            try Store.emptyFolder(target), Store.newID(environment), memoryBytesMax: options.memoryBytesMax, environment
        )
        try copy.add(allOf: machine.tree.freeze(hashing: true))
        if let outcomes = try? machine.allOutcomes() { copy.add(outcomes) }
        _ = try copy.finish(at: tip, inDoubt: machine.inDoubtInOrder)
        return try opened(target)
    }

    private func opened(_ target: String) throws(StoreError) -> CopyReport {
        let store = try Store.open(target, mode: .readOnly, options: options)
        defer { try? store.close() }
        return CopyReport(store)
    }

    // MARK: - Keys

    private func salvageKeys(to target: String, _ losses: [String]) throws(StoreError) -> SalvageReport {
        var losses = losses
        for row in rows(&losses) {
            guard let file,
                let tree = try? Tree(
                    row.tree, in: file.readers, budgetBytes: options.memoryBytesMax, kernel: environment.kernel)
            else { continue }
            var copy = try StoreCopy(
                try Store.emptyFolder(target), Store.newID(environment), memoryBytesMax: options.memoryBytesMax,
                environment)
            let missing = try copy.add(whatIsProvenOf: tree.freeze(hashing: true))
            _ = try copy.finish(at: row.tip, inDoubt: [])
            losses += missing
            return SalvageReport(
                copy: try opened(target), isWhole: false, source: "the pages of snapshot \(row.id) that can be proven",
                losses: losses)
        }
        throw StoreError(
            .corrupt, "Nothing can be proven: \(losses.joined(separator: "; "))",
            advice: "Restore the store from a backup.")
    }
}

extension StoreCopy {
    /// Adds the pairs whose pages can be read and verified; tells what lies in the others.
    mutating func add(whatIsProvenOf view: TreeView) throws(StoreError) -> [String] {
        var missing: [String] = []
        do {
            try view.forEachProven { key, value in
                try add(key, value)
            } missing: { error, after, before in
                let item = error.item == .page ? "page" : "long value"
                missing.append(
                    "\(item) \(error.id), with the keys behind \(Self.shown(after)) and before \(Self.shown(before)): \(error.reason)"
                )
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(error as! PageError)
        }
        return missing
    }

    private static func shown(_ key: [UInt8]?) -> String {
        key.map { String(decoding: $0, as: UTF8.self).debugDescription } ?? "any"
    }
}
