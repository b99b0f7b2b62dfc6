import CommitLog
import SQLite
import StateTree

/// `state.sqlite`: pages, snapshots, the catalogue of segments, and outcomes. See `schema` for what stands where.
///
/// It is made by the first snapshot, and is there whole or not at all. Readers may use `readers` from any thread, and
/// `outcome`; all else is for one thread at a time, that of maintenance.
///
/// `@unchecked Sendable`, because of that.
final class StateFile: @unchecked Sendable {
    let location: DatabaseLocation
    let store: StoreID
    let readers: StateReaders
    private let isReadOnly: Bool
    private var writer: Connection?

    /// - Parameter disk: on which the file need not be there.
    init(on disk: any Disk, store: StoreID, _ access: Connection.Access) {
        location = disk.database(Self.name)
        self.store = store
        isReadOnly = access == .readOnly || access == .immutable
        // A reader that is not the store's writer must not lose pages while it reads.
        readers = StateReaders(
            location, isReadOnly ? access : .readOnly, isFrozen: isReadOnly,
            wasWritten: Self.whetherWritten(on: disk, access))
    }

    /// Tells whether a file that is read without locks has been written since now.
    private static func whetherWritten(on disk: any Disk, _ access: Connection.Access) -> @Sendable () -> Bool {
        guard access == .immutable else { return { false } }
        let before = mark(on: disk)
        return { mark(on: disk) != before }
    }

    /// What is another once somebody has written the file: its header, which counts changes; `nil` while somebody may be at it.
    private static func mark(on disk: any Disk) -> [UInt8]? {
        guard isAlone(on: disk), let file = (try? disk.open(name, .read)) ?? nil else { return nil }
        var header = [UInt8](repeating: 0, count: headerBytes)
        let count = try? header.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        return count == headerBytes ? header : nil
    }

    private static let headerBytes = 100

    /// Runs `body` with the connection that writes. The file must be there.
    func write<R>(_ body: (Connection) throws(SQLiteError) -> R) throws(SQLiteError) -> R {
        precondition(!isReadOnly)
        if writer == nil { writer = try connect() }
        return try body(writer!)
    }

    /// Runs `body` in one transaction of the writing connection, durable once this returns; or if that is not needed,
    /// once a later one is.
    func transaction<R>(
        isDurable: Bool = true, _ body: (Connection) throws(SQLiteError) -> R
    ) throws(SQLiteError) -> R {
        try write { connection throws(SQLiteError) in
            try connection.execute("PRAGMA synchronous = \(isDurable ? "FULL" : "NORMAL"); BEGIN IMMEDIATE")
            do throws(SQLiteError) {
                let result = try body(connection)
                try connection.execute("COMMIT")
                return result
            } catch {
                try? connection.execute("ROLLBACK")
                throw error
            }
        }
    }

    private func connect() throws(SQLiteError) -> Connection {
        let connection = try Connection(location, .readWrite)
        // A copy made by `VACUUM INTO` has no write-ahead log. With a rollback journal, what a kill leaves is for a writer to
        // undo, and who opens the store reads first.
        try connection.execute(
            """
            PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; \
            PRAGMA cache_size = -4096; PRAGMA temp_store = 2;
            """)
        return connection
    }

    /// Makes the file if it is not there: under another name first, so that no crash leaves a part of it.
    static func make(on disk: any Disk, store: StoreID) throws(StoreError) {
        guard try !Store.exists(name, on: disk) else { return }
        try StoreError.wrapping { () throws(DiskError) in
            for draft in [draftName] + draftCompanionNames { try disk.remove(draft) }
            try makeEmpty(draftName, on: disk)
        }
        try StoreError.wrapping { () throws(SQLiteError) in try fill(disk.database(draftName), store) }
        try StoreError.wrapping { () throws(DiskError) in
            try disk.rename(draftName, to: name)
            try disk.syncFolder("")
        }
    }

    /// All is in the file proper, durably, before the write-ahead log is turned on; so nothing is left beside it.
    private static func fill(_ location: DatabaseLocation, _ store: StoreID) throws(SQLiteError) {
        let connection = try Connection(location, .readWrite)
        try connection.execute(pragmasOnce)
        try connection.execute("BEGIN IMMEDIATE")
        try connection.execute(marks)
        try connection.execute(schema)
        try connection.run("INSERT INTO store VALUES (?)", .text(store.description))
        try connection.execute("COMMIT")
        try connection.execute("PRAGMA journal_mode = WAL")
    }

    /// Makes an empty file, readable by its owner alone like all of a store's files; SQLite takes it from there.
    static func makeEmpty(_ name: String = name, on disk: any Disk) throws(DiskError) {
        guard try disk.open(name, .read) == nil else { return }
        _ = try disk.open(name, .create)
        try disk.syncFolder("")
    }

    /// Why a file that is there cannot be the state of this store; `nil` if it can.
    static func fault(in connection: Connection, of store: StoreID) throws(SQLiteError) -> String? {
        let application = try connection.row("PRAGMA application_id", read: { $0.integer(0) })
        guard application == Int64(applicationID) else { return "it is not a Rootfast state file" }
        let format = try connection.row("PRAGMA user_version", read: { $0.integer(0) }) ?? 0
        guard format == Int64(Self.format) else { return "its format \(format) is unknown" }
        let uuid = try connection.row("SELECT uuid FROM store", read: { $0.text(0) })
        guard uuid == store.description else { return "it belongs to another store, \(uuid ?? "unnamed")" }
        return nil
    }

    /// Brings what was written into the file proper, so that the log beside it (`-wal`) does not grow. What cannot be done
    /// now is done later: nothing depends on it.
    func checkpoint() {
        _ = try? write { connection throws(SQLiteError) in
            try connection.rows("PRAGMA wal_checkpoint(TRUNCATE)") { $0.integer(0) }
        }
    }

    /// The same, as far as nobody has to wait for it. What cannot be done now is done later: nothing depends on it.
    func checkpointSoftly() {
        _ = try? write { connection throws(SQLiteError) in
            try connection.rows("PRAGMA wal_checkpoint(PASSIVE)") { $0.integer(0) }
        }
    }

    /// Gives free pages of the file back to the file system, a few at a time; answers whether there are more to give.
    ///
    /// Half of the file may be free: the next snapshot would only take it back.
    func giveBackSpace(pageCountMax: Int) throws(SQLiteError) -> Bool {
        try write { connection throws(SQLiteError) in
            guard try Self.isHalfFree(connection) else { return false }
            _ = try connection.rows("PRAGMA incremental_vacuum(\(pageCountMax))") { $0.integer(0) }
            return try Self.isHalfFree(connection)
        }
    }

    private static func isHalfFree(_ connection: Connection) throws(SQLiteError) -> Bool {
        let free = try connection.row("PRAGMA freelist_count", read: { $0.integer(0) }) ?? 0
        let all = try connection.row("PRAGMA page_count", read: { $0.integer(0) }) ?? 0
        return free > all / 2
    }

    /// Whether nothing is beside the file, so that it can be read without locks, even where nothing can be written, as long as
    /// nobody writes it.
    static func isAlone(on disk: any Disk) -> Bool {
        companionNames.allSatisfy { (try? disk.open($0, .read)) ?? nil == nil }
    }

    /// Gives a state file that cannot be used, and what SQLite keeps beside it, another name.
    static func setAside(on disk: any Disk) throws(DiskError) {
        var isChanged = false
        for name in [name] + companionNames where try disk.open(name, .read) != nil {
            try disk.rename(name, to: name + ".bad")
            isChanged = true
        }
        if isChanged { try disk.syncFolder("") }
    }

    func close() {
        // The last to close removes the file's own log, and only who may write can.
        if !isReadOnly, writer == nil, readers.areOpen { writer = try? connect() }
        readers.close()
        writer = nil
    }
}
