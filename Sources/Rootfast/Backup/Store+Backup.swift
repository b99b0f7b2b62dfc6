import CommitLog
import Hashing
import SQLite
import StateTree

/// What a copy of a store holds.
public struct CopyReport: Hashable, Sendable {
    public var uuid: String
    public var sequence: UInt64
    public var root: Digest
    public var keyCount: Int
}

extension Store {
    /// Makes a consistent copy of the store in an empty folder while writers go on: a whole store under the same uuid, as
    /// it is after a clean close, verified by opening it and comparing its root.
    ///
    /// It holds the snapshots that are retained and the log from the older of the two newest verified ones on. Do not
    /// write to it while the original lives: `restore` makes a copy to write to.
    ///
    /// - Parameter path: a folder that is empty or not there.
    /// - Throws: `readOnly`, `invalidArgument`, `noSpace`, `inputOutput`, `corrupt`, `closed`.
    @discardableResult
    public func backup(to path: String) throws(StoreError) -> CopyReport {
        try checkWritable()
        let tip = try copy(to: path)
        let copy = try Store.open(path, mode: .readOnly, options: options)
        let report = CopyReport(copy)
        try copy.close()
        guard report.root == tip.root, report.sequence == tip.seq else {
            throw .damage("The copy's root is \(report.root), and is to be \(tip.root)", path, nil, tip.seq)
        }
        return report
    }

    /// Copies, and lets go of the copy's lock: a copy that is locked is read as one that is being written.
    private func copy(to path: String) throws(StoreError) -> LogTip {
        try maintenance.backup(to: try Self.emptyFolder(path))
    }

    /// Makes a folder, or takes one that is empty. One that is not is left as it is, without a lock.
    static func emptyFolder(_ path: String) throws(StoreError) -> FileDisk {
        if let found = try? FileDisk(path: path, .readOnly) { try checkEmpty(found, path) }
        let disk: FileDisk
        do throws(FileDisk.OpeningError) {
            disk = try FileDisk(path: path, .exclusive, creating: true)
        } catch {
            switch error {
            case .disk(let error): throw StoreError(error)
            case .locked: throw StoreError(.locked, "There is an open store at \(path)", advice: "Use another folder.")
            case .missing: throw .noStore
            }
        }
        // Somebody else may have written to it before it was locked.
        try checkEmpty(disk, path)
        return disk
    }

    private static func checkEmpty(_ disk: FileDisk, _ path: String) throws(StoreError) {
        let names = try wrapping { () throws(DiskError) in try disk.list("").filter { $0 != "lock" } }
        guard names.isEmpty else {
            throw StoreError(
                .invalidArgument, "The folder \(path) is not empty: it holds \(names[0])", advice: "Use another folder."
            )
        }
    }

    private static func wrapping<R>(_ body: () throws(DiskError) -> R) throws(StoreError) -> R {
        try StoreError.wrapping(body)
    }
}

extension CopyReport {
    init(_ store: Store) {
        let view = store.view
        self.init(uuid: store.uuid, sequence: view.sequence, root: view.root, keyCount: view.count)
    }
}

extension Maintenance {
    /// Copies the state file and the log; returns where the copy stands.
    func backup(to target: any Disk) throws(StoreError) -> LogTip {
        // All that is copied stays until it is.
        let pin = try pin(snapshotsUpTo: .max, segment: 1)
        defer { withExtendedLifetime(pin) {} }
        return try withHistory { (history) throws(StoreError) in
            let first = try copyStateFile(history, to: target)
            let tip = try queue.durableTip()
            try StoreError.wrapping { () throws(DiskError) in
                try target.open(StateFile.name, .write)?.sync()
                try target.makeFolder(LogNames.folder)
                for number in first...tip.segment {
                    let end = number == tip.segment ? tip.offset : nil
                    try Self.copy(LogNames.segment(number), from: history.disk, to: target, end: end)
                }
                try target.syncFolder(LogNames.folder)
                try Manifest(store: tip.store, segment: tip.segment, closed: .init(n: tip.n, chain: tip.chain))
                    .write(to: target)
            }
            return tip
        }
    }

    /// Copies the state file as it is at one moment; returns the first segment that goes on from what it holds.
    private func copyStateFile(_ history: History, to target: any Disk) throws(StoreError) -> UInt64 {
        guard let file = history.file, try Store.exists(StateFile.name, on: history.disk) else { return 1 }
        let copy = StateFile(on: target, store: file.store, .readWrite)
        // SQLite would make the file readable by all.
        try StoreError.wrapping { () throws(DiskError) in try StateFile.makeEmpty(on: target) }
        return try StoreError.wrapping { () throws(SQLiteError) in
            try file.readers.read { connection throws(SQLiteError) in
                try connection.execute("PRAGMA query_only = 0")
                try connection.run("VACUUM INTO ?", .text(copy.location.uri))
                try connection.execute("PRAGMA query_only = 1")
            }
            defer { copy.close() }
            return try copy.transaction { connection throws(SQLiteError) in
                let needed = try copy.summaries(connection).filter(\.isVerified).suffix(2)
                let first = needed.first?.segment ?? 1
                // The copy has no log before that.
                try connection.run("DELETE FROM segments WHERE number < ?", .number(first))
                return first
            }
        }
    }

    private static func copy(
        _ name: String, from source: any Disk, to target: any Disk, end: Int?
    ) throws(DiskError) {
        guard let file = try source.open(name, .read) else { throw DiskError(call: "open", name: name, errno: 2) }
        let copy = try target.open(name, .create)!
        var count = end ?? 0
        if end == nil { count = try file.byteCount() }
        var bytes = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 20))
        var offset = 0
        while offset < count {
            let wanted = min(bytes.count, count - offset)
            try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
                let piece = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<wanted])
                let got = try file.read(into: piece, at: offset)
                guard got == wanted else { throw DiskError(call: "pread", name: name, errno: 5) }
                try copy.write(UnsafeRawBufferPointer(piece), at: offset)
            }
            offset += wanted
        }
        try copy.sync()
    }
}
