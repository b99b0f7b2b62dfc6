import CommitLog
import Hashing
import StateTree

/// Which state of a store is restored.
public enum RestorePoint: Hashable, Sendable {
    case newest
    /// The end of the last flush before the next commit: with the votes and decisions that came in between.
    case sequence(UInt64)
    /// The end of the last flush that was written no later than this, in microseconds since 1970.
    case time(UInt64)
}

extension Store {
    /// Makes a store to write to from a backup, or from any store that nobody has open for writing: its state at some
    /// point, the transactions in doubt there, and the outcomes.
    ///
    /// The copy gets a uuid of its own and begins a log of its own, whose sequences go on from the original's: two
    /// histories never have one name. Its root is that of the original.
    ///
    /// - Parameters:
    ///   - path: the store to restore from; it is not changed.
    ///   - target: a folder that is empty or not there.
    /// - Throws: `noStore`, `notRetained`, `corrupt`, `invalidArgument`, `noSpace`, `inputOutput`.
    @discardableResult
    public static func restore(
        from path: String, at point: RestorePoint = .newest, to target: String, options: Options = Options()
    ) throws(StoreError) -> CopyReport {
        let source = try Store.open(path, mode: .readOnly, options: options)
        let moment: History.Moment =
            switch point {
            case .newest: .init(sequence: source.view.sequence)
            case .sequence(let sequence): .init(sequence: sequence)
            case .time(let time): try source.moment(at: time)
            }
        guard moment.sequence <= source.view.sequence else {
            throw StoreError(
                .invalidArgument, "Sequence \(moment.sequence) is not reached yet: the last is \(source.view.sequence)")
        }
        let state = try source.pastState(at: moment)
        let tip = try copy(state, to: target, options)
        try source.close()
        let restored = try Store.open(target, mode: .readOnly, options: options)
        let report = CopyReport(restored)
        try restored.close()
        guard report.root == state.tip.root, tip.seq == report.sequence else {
            throw .damage("The copy's root is \(report.root), and is to be \(state.tip.root)", target, nil, tip.seq)
        }
        return report
    }

    private static func copy(
        _ state: History.State, to target: String, _ options: Options
    ) throws(StoreError) -> LogTip {
        let environment = Environment.system()
        var copy = try StoreCopy(
            try emptyFolder(target), newID(environment), memoryBytesMax: options.memoryBytesMax, environment)
        try copy.add(allOf: state.machine.tree.freeze(hashing: true))
        copy.add(try state.machine.allOutcomes())
        return try copy.finish(at: state.tip, inDoubt: state.machine.inDoubtInOrder)
    }
}

extension StoreCopy {
    mutating func add(allOf view: TreeView) throws(StoreError) {
        do {
            try view.forEach(from: nil, to: nil) { key, value in
                try add(key, value)
                return true
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(error as! PageError)
        }
    }
}
