import SQLite
import StateTree
import StrictJSON

extension View {
    /// Writes all keys and values into a new SQLite file, for SQL: one table `state (key, value)`, in which UTF-8 stands as
    /// TEXT and all else as BLOB.
    ///
    /// - Parameter path: a file that is not there.
    /// - Throws: `invalidArgument`, `noSpace`, `inputOutput`, and as `scan`.
    public func export(toSQLite path: String) throws {
        do {
            let connection = try Connection(path: path, .create)
            guard try connection.row("SELECT count(*) FROM sqlite_schema", read: { $0.integer(0) }) == 0 else {
                throw StoreError(
                    .invalidArgument, "There is an SQLite file at \(path) already", advice: "Use another name.")
            }
            try connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
            try connection.execute("CREATE TABLE state (key PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID")
            try scan { key, value in
                try connection.run("INSERT INTO state VALUES (?,?)", Self.sqlite(key), Self.sqlite(value))
                return true
            }
            try connection.execute("COMMIT")
        } catch let error as SQLiteError {
            var failure = StoreError(error)
            failure.message = "\(path) cannot be written: \(error.message)"
            failure.place = nil
            // What is damaged is the file that is there, not the store.
            if failure.code == .corrupt {
                failure.code = .invalidArgument
                failure.advice = "Use another name."
            }
            throw failure
        }
    }

    /// Text with a NUL in it stands as a BLOB: SQLite's functions take a NUL for the end.
    private static func sqlite(_ bytes: UnsafeRawBufferPointer) -> SQLiteValue {
        if !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) { return .text(text) }
        return .blob(Array(bytes))
    }
}
