import Csqlite3

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A call to SQLite that failed.
package struct SQLiteError: Error, Hashable, Sendable {
    /// SQLite's extended result code, such as 11 for a damaged file.
    package var code: Int32
    /// The errno of the system call beneath, 0 if there was none.
    package var errno: Int32
    /// SQLite's own words, and the statement.
    package var message: String

    /// What a call answered before which `errno` was 0.
    init(_ code: Int32, _ connection: OpaquePointer?, _ statement: String) {
        let systemError = lastSystemError()
        // SQLite takes a page that the disk does not give for a damaged one.
        let isUnreadable = code & 0xff == SQLITE_CORRUPT && systemError == EIO
        self.code = isUnreadable ? SQLITE_IOERR : code
        errno = isUnreadable ? systemError : sqlite3_system_errno(connection)
        let text = isUnreadable ? nil : connection.map { String(cString: sqlite3_errmsg($0)) }
        message = "\(text ?? String(cString: sqlite3_errstr(self.code))) (\(statement))"
    }

    /// The code without its extension.
    package var primaryCode: Int32 { code & 0xff }
    /// Whether the file is not as it was left. A statement that fails for no other reason (`SQLITE_ERROR`) does not find the
    /// tables it names, a read that ends early (522) not the file's end; a journal to be rolled back (776) belongs to another
    /// file.
    package var isDamage: Bool {
        [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_ERROR].contains(primaryCode)
            || [522, 776].contains(code & 0xffff)
    }
    /// Whether the system refused a call, so that nothing is known of the file.
    package var isOfSystem: Bool {
        !isDamage
            && [
                SQLITE_IOERR, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_CANTOPEN, SQLITE_NOMEM, SQLITE_PERM, SQLITE_READONLY,
                SQLITE_PROTOCOL, SQLITE_INTERRUPT,
            ].contains(primaryCode)
    }
    package var isLackOfRoom: Bool { primaryCode == SQLITE_FULL }
    package var isBusy: Bool { [SQLITE_BUSY, SQLITE_LOCKED].contains(primaryCode) }
}

/// `errno`, which within `SQLiteError` is the property.
private func lastSystemError() -> Int32 { errno }
