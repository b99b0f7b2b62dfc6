import CommitLog
import SQLite

extension DatabaseLocation {
    /// By which one connection finds another's file.
    var uri: String { Connection.uri(path) + (vfs.map { "?vfs=\($0)" } ?? "") }
}

extension Connection {
    convenience init(_ location: DatabaseLocation, _ access: Access) throws(SQLiteError) {
        try self.init(path: location.path, vfs: location.vfs, access)
    }
}
