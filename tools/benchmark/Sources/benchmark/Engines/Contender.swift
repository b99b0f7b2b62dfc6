/// The engines that are compared, Rootfast first.
enum Contender: String, CaseIterable, Codable {
    case rootfast
    case sqlite
    case lmdb
    /// LMDB with its file mapped for writing: faster, and open to stray writes of the program; only without syncs.
    case lmdbWriteMap = "lmdb-writemap"
    case rocksdb
    case leveldb

    static let durable: [Contender] = [.rootfast, .sqlite, .lmdb, .rocksdb, .leveldb]
    static let relaxed = allCases
    /// Those that replay a log when they are opened.
    static let replaying: [Contender] = [.rootfast, .rocksdb, .leveldb]

    var title: String {
        switch self {
        case .rootfast: "Rootfast"
        case .sqlite: "SQLite"
        case .lmdb: "LMDB"
        case .lmdbWriteMap: "LMDB (writemap)"
        case .rocksdb: "RocksDB"
        case .leveldb: "LevelDB"
        }
    }

    /// About what a commit of four keys takes in the log of those that replay one.
    var logBytesPerCommit: Int {
        switch self {
        case .rootfast: 650
        default: 495
        }
    }

    /// Opens the store in a folder that is there, and makes the store if there is none.
    func open(_ folder: String, _ mode: Mode) throws -> any Engine {
        switch self {
        case .rootfast: try RootfastEngine(folder, mode)
        case .sqlite: try SQLiteEngine(folder, mode)
        case .lmdb: try LMDBEngine(folder, mode, isWriteMapped: false)
        case .lmdbWriteMap: try LMDBEngine(folder, mode, isWriteMapped: true)
        case .rocksdb: try RocksDBEngine(folder, mode)
        case .leveldb: try LevelDBEngine(folder, mode)
        }
    }
}
