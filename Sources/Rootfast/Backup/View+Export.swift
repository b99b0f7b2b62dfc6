import CommitLog
import SQLite
import StateTree
import StrictJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension View {
    /// Writes all keys and values into a new SQLite file, for SQL: one table `state (key, value)`, in which UTF-8 stands as
    /// TEXT and all else as BLOB.
    ///
    /// Only its owner may read it. If it cannot be finished, it is removed.
    ///
    /// - Parameter path: a file that is not there.
    /// - Throws: `invalidArgument`, `noSpace`, `inputOutput`, and as `scan`.
    public func export(toSQLite path: String) throws {
        let (folder, name) = try Self.makeFile(path)
        do {
            try export(to: Connection(folder.database(name), .readWrite))
        } catch {
            try? folder.remove(name)
            guard let error = error as? SQLiteError else { throw error }
            throw Self.failure(error, path)
        }
    }

    private func export(to connection: Connection) throws {
        try connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        try connection.execute("CREATE TABLE state (key PRIMARY KEY NOT NULL, value NOT NULL) WITHOUT ROWID")
        try scan { key, value in
            try connection.run("INSERT INTO state VALUES (?,?)", Self.sqlite(key), Self.sqlite(value))
            return true
        }
        try connection.execute("COMMIT")
    }

    /// Makes an empty file; answers its folder, and its name there, by which SQLite takes it for a file whatever it is.
    private static func makeFile(_ path: String) throws(StoreError) -> (folder: FileDisk, name: String) {
        // By bytes: a slash and an accent behind it are one character.
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let start = slash.map(path.utf8.index(after:)) ?? path.startIndex
        let (folder, name) = (String(path[..<start]), String(path[start...]))
        guard !name.isEmpty, !path.utf8.contains(0) else { throw refusal(path, "this names no file") }
        do {
            let disk = try FileDisk(path: folder.isEmpty ? "." : folder, .readOnly)
            _ = try disk.open(name, .create)
            return (disk, name)
        } catch let error as DiskError {
            if StoreError.isLackOfRoom(error) { throw StoreError(error) }
            throw refusal(path, String(cString: strerror(error.errno)))
        } catch {
            throw refusal(path, "its folder cannot be opened")
        }
    }

    private static func refusal(_ path: String, _ reason: String) -> StoreError {
        StoreError(.invalidArgument, "\(path) cannot be made: \(reason)", advice: "Use another name.")
    }

    private static func failure(_ error: SQLiteError, _ path: String) -> StoreError {
        var failure = StoreError(error)
        failure.message = "\(path) cannot be written: \(error.message)"
        failure.place = nil
        return failure
    }

    /// Text with a NUL in it stands as a BLOB: SQLite's functions take a NUL for the end.
    private static func sqlite(_ bytes: UnsafeRawBufferPointer) -> SQLiteValue {
        if !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) { return .text(text) }
        return .blob(Array(bytes))
    }
}
