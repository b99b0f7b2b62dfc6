import Csqlite3

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A connection to an SQLite file. One thread at a time may use it and its statements.
package final class Connection {
    package enum Access: Sendable {
        case readWrite
        case create
        case readOnly
        /// Reads a file that nobody changes meanwhile, without locks, and without a write-ahead log beside it.
        case immutable
    }

    let handle: OpaquePointer
    private var statements: [String: Statement] = [:]

    /// - Parameter vfs: the name of what stands for the file system; `nil` for the system's own.
    package init(path: String, vfs: String? = nil, _ access: Access) throws(SQLiteError) {
        let flags =
            switch access {
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            case .readOnly, .immutable: SQLITE_OPEN_READONLY
            }
        var handle: OpaquePointer?
        let uri = Self.uri(path) + (access == .immutable ? "?immutable=1" : "")
        let code = sqlite3_open_v2(uri, &handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, vfs)
        guard code == SQLITE_OK, let handle else {
            let error = SQLiteError(code, handle, "open \(path)")
            sqlite3_close_v2(handle)
            throw error
        }
        self.handle = handle
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 10_000)
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// A path as a URI: all but the plainest bytes escaped. Two slashes at its beginning do not name a host.
    package static func uri(_ path: String) -> String {
        var uri = path.utf8.first == UInt8(ascii: "/") ? "file://" : "file:"
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                uri.append(Character(UnicodeScalar(byte)))
            default:
                let digits = String(byte, radix: 16)
                uri += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return uri
    }

    /// Runs statements that answer nothing.
    package func execute(_ sql: String) throws(SQLiteError) {
        errno = 0
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(code, handle, sql) }
    }

    /// A statement, compiled once for each text.
    package func statement(_ sql: String) throws(SQLiteError) -> Statement {
        if let statement = statements[sql] { return statement }
        let statement = try Statement(sql, self)
        statements[sql] = statement
        return statement
    }

    /// Runs a statement with these values for its parameters.
    package func run(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) {
        try statement(sql).forEach(values) { _ in false }
    }

    /// The rows of a statement, as `read` reads them.
    package func rows<R>(
        _ sql: String, _ values: SQLiteValue..., read: (Row) -> R
    ) throws(SQLiteError) -> [R] {
        var rows: [R] = []
        try statement(sql).forEach(values) { row in
            rows.append(read(row))
            return true
        }
        return rows
    }

    /// The first row of a statement, as `read` reads it; `nil` if there is none.
    package func row<R>(_ sql: String, _ values: SQLiteValue..., read: (Row) -> R) throws(SQLiteError) -> R? {
        var found: R?
        try statement(sql).forEach(values) { row in
            found = read(row)
            return false
        }
        return found
    }

    /// How many rows the last statement changed.
    package var changeCount: Int { Int(sqlite3_changes(handle)) }
}
