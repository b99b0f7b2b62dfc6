import CommitLog
import SQLite

/// Brings a store's state back: the newest snapshot that is whole, and the log after it.
///
/// Changes nothing on disk. A snapshot that is not whole is passed over for the one before, and told, if the log still
/// reaches from there to its end. One that was not read back, as its process died before, is not gone on from where there
/// is another way: later ones would stand on pages that nobody has read.
struct Recovery {
    /// What came back.
    struct Result {
        var machine: StateMachine
        var log: Replay.Log
        /// Where snapshots are and will be.
        var file: StateFile
        /// What was gone on from; `nil` for the log's beginning.
        var snapshot: SnapshotRow?
        /// Snapshots that were passed over, the newest first.
        var faults: [SnapshotRow.Fault]
    }

    let disk: any Disk
    var machineOptions: StateMachine.Options
    var replayOptions: Replay.Options
    let isReadOnly: Bool
    /// Goes on from the oldest start that the log reaches from, to verify all of the log that is there.
    var readsWholeLog = false

    /// - Throws: `corrupt`, `noStore`, `inputOutput`.
    func run() throws(StoreError) -> Result {
        let manifest = try Replay.manifest(of: disk)
        let segments = try Replay.segmentNumbers(on: disk)
        let file = stateFile(of: manifest.store)
        var options = machineOptions
        options.file = file
        var faults: [SnapshotRow.Fault] = []
        while true {
            let found = try start(in: file, options, manifest, segments, &faults)
            let machine = found?.machine ?? StateMachine(options)
            var replay = Replay(disk, into: machine, from: found?.row.tip, replayOptions)
            do throws(StoreError) {
                return Result(machine: machine, log: try replay.run(), file: file, snapshot: found?.row, faults: faults)
            } catch {
                // Pages are read when the log comes to them: so late it may turn out that one is damaged.
                guard let id = found?.row.id, error.code == .corrupt, error.place?.file == StateFile.name else {
                    throw error
                }
                faults.append(.init(id: id, reason: error.message))
            }
        }
    }

    /// What the log is read from: a snapshot, or `nil` for the log's beginning.
    private func start(
        in file: StateFile, _ options: StateMachine.Options, _ manifest: Manifest, _ segments: [UInt64],
        _ faults: inout [SnapshotRow.Fault]
    ) throws(StoreError) -> (row: SnapshotRow, machine: StateMachine)? {
        let logIsWhole = segments.isEmpty || Self.areWhole(segments, through: manifest.segment)
        if readsWholeLog, !segments.isEmpty, logIsWhole, Replay.logBeginsWithStore(on: disk) != false { return nil }
        var found = try snapshot(areVerified: true, in: file, options, manifest, segments, &faults)
        if found == nil, !logIsWhole, !faults.contains(where: { $0.id == 0 }) {
            found = try snapshot(areVerified: false, in: file, options, manifest, segments, &faults)
        }
        guard found != nil || segments.contains(1) || segments.isEmpty && faults.isEmpty else {
            throw try unreachable(segments.min(), faults)
        }
        return found
    }

    /// Whether all segments up to one are there. Those before a snapshot may have gone in any order.
    private static func areWhole(_ segments: [UInt64], through newest: UInt64) -> Bool {
        segments.count >= newest && Set(segments).isSuperset(of: 1...max(1, newest))
    }

    private func stateFile(of store: StoreID) -> StateFile {
        guard isReadOnly else { return StateFile(on: disk, store: store, .readWrite) }
        return StateFile(on: disk, store: store, StateFile.isAlone(on: disk) ? .immutable : .readOnly)
    }

    // MARK: - Snapshots

    private func snapshot(
        areVerified: Bool, in file: StateFile, _ options: StateMachine.Options, _ manifest: Manifest,
        _ segments: [UInt64], _ faults: inout [SnapshotRow.Fault]
    ) throws(StoreError) -> (row: SnapshotRow, machine: StateMachine)? {
        let isThere = try StoreError.wrapping { () throws(DiskError) in try disk.open(StateFile.name, .read) != nil }
        guard isThere else { return nil }
        let ids = try snapshotIDs(in: file, areVerified: areVerified, &faults)
        for id in readsWholeLog ? ids.reversed() : ids where !faults.contains(where: { $0.id == id }) {
            guard let row = try row(id, in: file, &faults) else { continue }
            try row.checkIsKnown(to: manifest)
            if let missing = (row.tip.segment...manifest.segment).first(where: { !segments.contains($0) }) {
                // Of an old snapshot that may be so; of the newest it may not.
                if id == ids.first {
                    let reason = "segment \(missing), which goes on from it, is missing"
                    faults.append(.init(id: id, reason: reason, file: LogNames.segment(missing)))
                }
                continue
            }
            do throws(StoreError) {
                return (row, try StateMachine(row, in: file, options))
            } catch {
                guard isReadOnly || error.code == .corrupt else { throw error }
                faults.append(.init(id: id, reason: error.message, failure: error.code == .corrupt ? nil : error))
            }
        }
        return nil
    }

    private func snapshotIDs(
        in file: StateFile, areVerified: Bool, _ faults: inout [SnapshotRow.Fault]
    ) throws(StoreError) -> [UInt64] {
        do throws(SQLiteError) {
            return try file.readers.read { connection throws(SQLiteError) in
                if let fault = try StateFile.fault(in: connection, of: file.store) {
                    faults.append(.init(id: 0, reason: fault))
                    return []
                }
                return try file.summaries(connection).filter { $0.isVerified == areVerified }.map(\.id).reversed()
            }
        } catch {
            faults.append(try fault(of: 0, error))
            return []
        }
    }

    private func row(_ id: UInt64, in file: StateFile, _ faults: inout [SnapshotRow.Fault]) throws(StoreError)
        -> SnapshotRow?
    {
        do throws(SQLiteError) {
            switch try file.readers.read({ connection throws(SQLiteError) in try file.snapshot(id, connection) }) {
            case .success(let row): return row
            case .failure(let fault): faults.append(fault)
            }
        } catch {
            faults.append(try fault(of: id, error))
        }
        return nil
    }

    /// What keeps a snapshot from being gone on from. Where the system refused a call nothing is known of the snapshot, and
    /// a store that is to be written must not go on without it: it would discard it.
    private func fault(of id: UInt64, _ error: SQLiteError) throws(StoreError) -> SnapshotRow.Fault {
        guard isReadOnly || !error.isOfSystem else { throw StoreError(error) }
        return .init(id: id, reason: error.message, failure: error.isOfSystem ? StoreError(error) : nil)
    }

    private func unreachable(_ first: UInt64?, _ faults: [SnapshotRow.Fault]) throws(StoreError) -> StoreError {
        var error: StoreError
        let beginning = first.map { "The log begins with segment \($0)" } ?? "There is no segment of the log"
        if try Store.exists(StateFile.name, on: disk) {
            let reason =
                faults.isEmpty ? "the state file holds none" : faults.map(\.description).joined(separator: "; ")
            let file = faults.first?.file ?? LogNames.segment(first.map { $0 - 1 } ?? 1)
            error = .damage("\(beginning), and there is no snapshot to go on from: \(reason)", file, nil)
        } else {
            error = .damage(
                "\(beginning), and \(StateFile.name), which could stand in for what is before it, is missing",
                LogNames.segment(1), nil)
        }
        error.advice = "Nothing was changed. Restore the store from a backup, or salvage what can be proven."
        return error
    }
}

extension SnapshotRow.Fault: CustomStringConvertible {
    var description: String { id == 0 ? "state file: \(reason)" : "snapshot \(id): \(reason)" }
}
