/// How an engine is opened.
struct Mode: Hashable, Sendable {
    enum Durability: String {
        /// A commit is on the disk before it is acknowledged.
        case durable
        /// A commit is acknowledged before it is on the disk, and a power loss may take the last ones. (Rootfast
        /// writes and syncs what was acknowledged within a tenth of a second. The others hand it to the system at once,
        /// which writes it within half a minute; SQLite and LMDB may then be found damaged.)
        case relaxed
        /// The fastest way to fill a store, before it is measured.
        case loading
    }

    var durability: Durability
    /// What RocksDB and LevelDB gather in memory before they write a sorted file, if not what suits each best.
    var writeBufferBytes: Int?
    /// Whether Rootfast takes snapshots, which spare the log before them from being replayed.
    var takesSnapshots = true
    /// Memory for what was read: enough for the whole store, unless told.
    var cacheBytes = 1 << 30

    static let durable = Mode(durability: .durable)
    /// With memory for a quarter of what Rootfast holds of a million keys.
    static let beyondMemory = Mode(durability: .durable, cacheBytes: 80 << 20)
    static let relaxed = Mode(durability: .relaxed)
    static let loading = Mode(durability: .loading)
    /// Replays a long log fast: what it gathers stays in the processor's caches.
    static let replaying = Mode(durability: .relaxed, writeBufferBytes: 4 << 20)
    /// Never writes a sorted file by itself, so that the whole log is left to be replayed: LevelDB takes no more.
    static let logOnly = Mode(durability: .relaxed, writeBufferBytes: 1 << 30, takesSnapshots: false)
}
