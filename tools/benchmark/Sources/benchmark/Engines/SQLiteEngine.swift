import CPeers
import Foundation

/// SQLite in WAL mode: one connection that all threads share behind a mutex (several connections would wait for one
/// another by sleeping, which is slower), with prepared statements.
///
/// Beyond the defaults it has memory for the whole store, checkpoints of ten times the pages, and the file for itself, as
/// the other engines have: `locking_mode=EXCLUSIVE` saves it the locks and the shared index of a file that several
/// processes use. It is loaded without a journal.
///
/// `@unchecked Sendable`, because the connection and its statements are used under `lock` only.
final class SQLiteEngine: Engine, @unchecked Sendable {
    private let lock = NSLock()
    private let connection: OpaquePointer
    private let begin, put, select, all, commit: OpaquePointer

    init(_ folder: String, _ mode: Mode) throws {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        let status = sqlite3_open_v2(folder + "/store.sqlite", &opened, flags, nil)
        guard status == SQLITE_OK, let opened else { throw Self.error(opened, status) }
        connection = opened
        let setUp = """
            PRAGMA locking_mode = EXCLUSIVE;
            PRAGMA journal_mode = \(mode.durability == .loading ? "OFF" : "WAL");
            PRAGMA synchronous = \(mode.durability == .durable ? "FULL" : "OFF");
            PRAGMA cache_size = -\(mode.cacheBytes >> 10);
            PRAGMA wal_autocheckpoint = 10000;
            CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID;
            """
        try Self.check(opened, sqlite3_exec(opened, setUp, nil, nil, nil))
        begin = try Self.prepare(opened, "BEGIN IMMEDIATE")
        put = try Self.prepare(opened, "INSERT OR REPLACE INTO kv VALUES (?, ?)")
        select = try Self.prepare(opened, "SELECT v FROM kv WHERE k = ?")
        all = try Self.prepare(opened, "SELECT k, v FROM kv ORDER BY k")
        commit = try Self.prepare(opened, "COMMIT")
    }

    func makeSession() -> any Session { SQLiteSession(self) }

    fileprivate func commit(_ batch: Batch) throws {
        lock.lock()
        defer { lock.unlock() }
        try run(begin)
        for position in 0..<batch.count {
            bind(batch.key(position), to: 1, of: put)
            bind(batch.value(position), to: 2, of: put)
            try run(put)
        }
        try run(commit)
    }

    fileprivate func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        lock.lock()
        defer { lock.unlock() }
        defer { sqlite3_reset(select) }
        bind(key, to: 1, of: select)
        let status = sqlite3_step(select)
        guard status == SQLITE_ROW else {
            guard status == SQLITE_DONE else { throw Self.error(connection, status) }
            return false
        }
        buffer.copyMemory(
            from: UnsafeRawBufferPointer(
                start: sqlite3_column_blob(select, 0), count: Int(sqlite3_column_bytes(select, 0))))
        return true
    }

    /// Reading in one transaction spares each `get` its own.
    fileprivate func beginReading() throws { try lock.withLock { try Self.execute(connection, "BEGIN") } }
    fileprivate func endReading() { lock.withLock { try? Self.execute(connection, "COMMIT") } }

    func scan() throws -> ScanSum {
        lock.lock()
        defer { lock.unlock() }
        defer { sqlite3_reset(all) }
        var sum = ScanSum()
        var status = sqlite3_step(all)
        while status == SQLITE_ROW {
            sum.add(sqlite3_column_blob(all, 0), sqlite3_column_blob(all, 1))
            status = sqlite3_step(all)
        }
        guard status == SQLITE_DONE else { throw Self.error(connection, status) }
        return sum
    }

    /// Each commit has done so.
    func flush() {}

    func close() throws {
        for statement in [begin, put, select, all, commit] { sqlite3_finalize(statement) }
        try Self.check(connection, sqlite3_close(connection))
    }

    // MARK: - Statements

    private func run(_ statement: OpaquePointer) throws {
        let status = sqlite3_step(statement)
        sqlite3_reset(statement)
        guard status == SQLITE_DONE else { throw Self.error(connection, status) }
    }

    /// Binds bytes that stay where they are until the statement has run.
    private func bind(_ bytes: UnsafeRawBufferPointer, to position: Int32, of statement: OpaquePointer) {
        sqlite3_bind_blob(statement, position, bytes.baseAddress, Int32(bytes.count), nil)
    }

    private static func prepare(_ connection: OpaquePointer, _ sql: String) throws -> OpaquePointer {
        var statement: OpaquePointer?
        try check(
            connection, sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil))
        return statement!
    }

    private static func execute(_ connection: OpaquePointer, _ sql: String) throws {
        try check(connection, sqlite3_exec(connection, sql, nil, nil, nil))
    }

    private static func check(_ connection: OpaquePointer?, _ status: Int32) throws {
        guard status == SQLITE_OK else { throw error(connection, status) }
    }

    private static func error(_ connection: OpaquePointer?, _ status: Int32) -> EngineError {
        EngineError(engine: "SQLite", message: "\(status): \(String(cString: sqlite3_errmsg(connection)))")
    }
}

private final class SQLiteSession: Session {
    private let engine: SQLiteEngine
    private var isReading = false

    init(_ engine: SQLiteEngine) { self.engine = engine }

    deinit { if isReading { engine.endReading() } }

    func commit(_ batch: Batch) throws { try engine.commit(batch) }

    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        if !isReading {
            try engine.beginReading()
            isReading = true
        }
        return try engine.get(key, into: buffer)
    }
}
