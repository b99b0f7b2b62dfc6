import CommitLog
import SQLite
import StateTree
import Threading

/// Connections to the state file that only read, as many as there are threads that read at once.
///
/// With `isFrozen` it is one connection that goes on seeing the file as it was when it was first read, whatever another
/// process does to it. `@unchecked Sendable`, because `idle` is touched under `lock` only, and a connection belongs to
/// whoever took it out.
final class StateReaders: PageStore, @unchecked Sendable {
    private let location: DatabaseLocation
    private let access: Connection.Access
    private let isFrozen: Bool
    private let lock = Lock()
    private var idle: [Connection] = []
    private let use = Lock()
    /// Whether the file, which is read without locks, has been written since.
    private let wasWritten: @Sendable () -> Bool

    init(
        _ location: DatabaseLocation, _ access: Connection.Access, isFrozen: Bool,
        wasWritten: @escaping @Sendable () -> Bool
    ) {
        self.location = location
        self.access = access
        self.isFrozen = isFrozen
        self.wasWritten = wasWritten
    }

    /// Runs `body` with a connection that nobody else uses meanwhile.
    func read<R>(_ body: (Connection) throws(SQLiteError) -> R) throws(SQLiteError) -> R {
        if isFrozen { use.lock() }
        defer { if isFrozen { use.unlock() } }
        let known = lock.withLock { idle.popLast() }
        let connection: Connection
        if let known { connection = known } else { connection = try connect() }
        defer { lock.withLock { idle.append(connection) } }
        return try body(connection)
    }

    private func connect() throws(SQLiteError) -> Connection {
        let connection = try Connection(location, access)
        // Pages are kept by the tree, not here.
        try connection.execute("PRAGMA cache_size = -256; PRAGMA query_only = 1;")
        if isFrozen { try connection.execute("BEGIN") }
        return connection
    }

    /// Whether there are connections that are not in use.
    var areOpen: Bool { lock.withLock { !idle.isEmpty } }

    /// Closes all connections that are not in use.
    func close() { lock.withLock { idle.removeAll() } }

    // MARK: - PageStore

    func page(_ id: UInt64) throws(PageError) -> [UInt8] {
        try blob("SELECT image FROM pages WHERE id = ?", .page, id)
    }

    func longValue(_ id: UInt64) throws(PageError) -> [UInt8] {
        try blob("SELECT bytes FROM long_values WHERE id = ?", .longValue, id)
    }

    func cause(of error: PageError) -> PageError {
        guard error.kind == .damaged, wasWritten() else { return error }
        return PageError(.outdated, error.item, error.id, "the store has been written since it was opened to be read")
    }

    private func blob(_ sql: String, _ item: PageError.Item, _ id: UInt64) throws(PageError) -> [UInt8] {
        let found: [UInt8]?
        do throws(SQLiteError) {
            found = try read { connection throws(SQLiteError) in
                try connection.row(sql, .number(id)) { $0.blob(0) }
            }
        } catch {
            throw PageError(error.isDamage ? .damaged : .unreadable(code: error.code), item, id, error.message)
        }
        guard let found else { throw PageError(.damaged, item, id, "it is missing") }
        return found
    }
}
