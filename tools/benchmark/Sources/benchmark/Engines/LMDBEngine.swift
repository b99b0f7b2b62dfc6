import CPeers

/// LMDB, with room for 16 GiB. Its writers wait for one another in `mdb_txn_begin`; it has no group commit.
///
/// `@unchecked Sendable`, because the two properties are constant, and an LMDB environment is made for many threads.
final class LMDBEngine: Engine, @unchecked Sendable {
    fileprivate let environment: OpaquePointer
    fileprivate let table: MDB_dbi

    init(_ folder: String, _ mode: Mode, isWriteMapped: Bool) throws {
        var made: OpaquePointer?
        try check(mdb_env_create(&made))
        let environment = made!
        // Read transactions belong to their session and not to a thread.
        var flags = MDB_NOTLS
        if mode.durability != .durable { flags |= MDB_NOSYNC }
        if isWriteMapped { flags |= MDB_WRITEMAP }
        try check(mdb_env_set_mapsize(environment, 16 << 30))
        try check(mdb_env_open(environment, folder, UInt32(flags), 0o644))
        self.environment = environment
        var table: MDB_dbi = 0
        try Self.transaction(environment) { try check(mdb_dbi_open($0, nil, UInt32(MDB_CREATE), &table)) }
        self.table = table
    }

    func makeSession() -> any Session { LMDBSession(self) }

    fileprivate func commit(_ batch: Batch) throws {
        try Self.transaction(environment) { transaction in
            for position in 0..<batch.count {
                var key = MDB_val(batch.key(position))
                var value = MDB_val(batch.value(position))
                try check(mdb_put(transaction, table, &key, &value, 0))
            }
        }
    }

    private static func transaction(_ environment: OpaquePointer, _ body: (OpaquePointer) throws -> Void) throws {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        do {
            try body(transaction!)
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        try check(mdb_txn_commit(transaction))
    }

    fileprivate func beginReading() throws -> OpaquePointer {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
        return transaction!
    }

    func scan() throws -> ScanSum {
        let transaction = try beginReading()
        defer { mdb_txn_abort(transaction) }
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, table, &cursor))
        defer { mdb_cursor_close(cursor) }
        var sum = ScanSum()
        var key = MDB_val()
        var value = MDB_val()
        var status = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)
        while status == MDB_SUCCESS {
            sum.add(key.mv_data, value.mv_data)
            status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        if status != MDB_NOTFOUND { try check(status) }
        return sum
    }

    /// Each commit has done so.
    func flush() {}

    /// Syncs first, which a close without it would not do for a store that is not durable.
    func close() throws {
        try check(mdb_env_sync(environment, 1))
        mdb_env_close(environment)
    }
}

/// Reads from one transaction that it keeps.
private final class LMDBSession: Session {
    private let engine: LMDBEngine
    private var reading: OpaquePointer?

    init(_ engine: LMDBEngine) { self.engine = engine }

    deinit { if let reading { mdb_txn_abort(reading) } }

    func commit(_ batch: Batch) throws { try engine.commit(batch) }

    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        let transaction = try reading ?? engine.beginReading()
        reading = transaction
        var key = MDB_val(key)
        var value = MDB_val()
        let status = mdb_get(transaction, engine.table, &key, &value)
        guard status != MDB_NOTFOUND else { return false }
        try check(status)
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
        return true
    }
}

extension MDB_val {
    /// LMDB changes nothing that it is given to write or to look up.
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}

private func check(_ status: Int32) throws {
    guard status == MDB_SUCCESS else {
        throw EngineError(engine: "LMDB", message: String(cString: mdb_strerror(status)))
    }
}
