import Csqlite3

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A value for a parameter of a statement.
package enum SQLiteValue: Sendable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    package static func number(_ number: some BinaryInteger) -> SQLiteValue { .integer(Int64(number)) }
    package static func number(_ number: (some BinaryInteger)?) -> SQLiteValue {
        number.map { .integer(Int64($0)) } ?? .null
    }
}

/// A compiled statement.
package final class Statement {
    private let handle: OpaquePointer
    private unowned let connection: Connection
    private let sql: String

    init(_ sql: String, _ connection: Connection) throws(SQLiteError) {
        var handle: OpaquePointer?
        errno = 0
        let code = sqlite3_prepare_v3(connection.handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteError(code, connection.handle, sql) }
        self.handle = handle
        self.connection = connection
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Calls `body` with each row until it answers false. A row is valid within `body` only.
    package func forEach(_ values: [SQLiteValue], _ body: (Row) -> Bool) throws(SQLiteError) {
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        for (i, value) in values.enumerated() { try bind(value, at: Int32(i + 1)) }
        while true {
            errno = 0
            switch sqlite3_step(handle) {
            case SQLITE_ROW: if !body(Row(handle)) { return }
            case SQLITE_DONE: return
            case let code: throw SQLiteError(code, connection.handle, sql)
            }
        }
    }

    /// Tells SQLite to copy what it is given.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private func bind(_ value: SQLiteValue, at index: Int32) throws(SQLiteError) {
        let code =
            switch value {
            case .null: sqlite3_bind_null(handle, index)
            case .integer(let number): sqlite3_bind_int64(handle, index, number)
            case .text(let text): sqlite3_bind_text(handle, index, text, -1, Self.transient)
            case .blob(let bytes): bytes.withUnsafeBytes { bind($0, at: index) }
            }
        guard code == SQLITE_OK else { throw SQLiteError(code, connection.handle, sql) }
    }

    private func bind(_ bytes: UnsafeRawBufferPointer, at index: Int32) -> Int32 {
        guard let base = bytes.baseAddress else { return sqlite3_bind_zeroblob(handle, index, 0) }
        return sqlite3_bind_blob64(handle, index, base, UInt64(bytes.count), Self.transient)
    }
}

/// A row that a statement answers. A column that has another type than is asked for reads as 0 or empty, as in SQLite.
package struct Row {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    package func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    package func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    /// 0 for a negative number.
    package func number(_ column: Int32) -> UInt64 { UInt64(max(0, integer(column))) }
    /// At most 2^50, so that a sum of damaged ones does not overflow.
    package func byteCount(_ column: Int32) -> Int { Int(min(number(column), 1 << 50)) }

    package func text(_ column: Int32) -> String {
        guard let text = sqlite3_column_text(handle, column) else { return "" }
        return String(cString: text)
    }

    package func blob(_ column: Int32) -> [UInt8] {
        guard let base = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(handle, column))))
    }
}
