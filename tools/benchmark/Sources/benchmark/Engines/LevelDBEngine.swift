import CPeers

/// LevelDB with what it can be given: a filter of ten bits a key, memory for all of it in the block cache, a write buffer
/// of 16 MiB in place of 4 (its commits grow slower with a larger one), nothing compressed.
///
/// `@unchecked Sendable`, because all properties are constant, and a LevelDB database is made for many threads.
final class LevelDBEngine: Engine, @unchecked Sendable {
    fileprivate let database: OpaquePointer
    fileprivate let writing: OpaquePointer
    fileprivate let reading: OpaquePointer
    private let cache: OpaquePointer
    private let filter: OpaquePointer

    init(_ folder: String, _ mode: Mode) throws {
        let options = leveldb_options_create()
        defer { leveldb_options_destroy(options) }
        cache = leveldb_cache_create_lru(mode.cacheBytes)
        filter = leveldb_filterpolicy_create_bloom(10)
        leveldb_options_set_create_if_missing(options, 1)
        leveldb_options_set_compression(options, Int32(leveldb_no_compression))
        leveldb_options_set_write_buffer_size(options, mode.writeBufferBytes ?? 16 << 20)
        leveldb_options_set_cache(options, cache)
        leveldb_options_set_filter_policy(options, filter)
        database = try check { leveldb_open(options, folder, $0) }!
        writing = leveldb_writeoptions_create()
        leveldb_writeoptions_set_sync(writing, mode.durability == .durable ? 1 : 0)
        reading = leveldb_readoptions_create()
    }

    func makeSession() -> any Session { LevelDBSession(self) }

    func scan() throws -> ScanSum {
        let iterator = leveldb_create_iterator(database, reading)
        defer { leveldb_iter_destroy(iterator) }
        var sum = ScanSum()
        var length = 0
        leveldb_iter_seek_to_first(iterator)
        while leveldb_iter_valid(iterator) != 0 {
            sum.add(leveldb_iter_key(iterator, &length), leveldb_iter_value(iterator, &length))
            leveldb_iter_next(iterator)
        }
        try check { leveldb_iter_get_error(iterator, $0) }
        return sum
    }

    /// Each commit has done so.
    func flush() {}

    func close() {
        leveldb_close(database)
        leveldb_writeoptions_destroy(writing)
        leveldb_readoptions_destroy(reading)
        leveldb_cache_destroy(cache)
        leveldb_filterpolicy_destroy(filter)
    }
}

private final class LevelDBSession: Session {
    private let engine: LevelDBEngine
    private let changes: OpaquePointer = leveldb_writebatch_create()

    init(_ engine: LevelDBEngine) { self.engine = engine }

    deinit { leveldb_writebatch_destroy(changes) }

    func commit(_ batch: Batch) throws {
        leveldb_writebatch_clear(changes)
        for position in 0..<batch.count {
            let key = batch.key(position)
            let value = batch.value(position)
            leveldb_writebatch_put(changes, key.characters, key.count, value.characters, value.count)
        }
        try check { leveldb_write(engine.database, engine.writing, changes, $0) }
    }

    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        var length = 0
        let found = try check {
            leveldb_get(engine.database, engine.reading, key.characters, key.count, &length, $0)
        }
        guard let found else { return false }
        defer { leveldb_free(found) }
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: found, count: length))
        return true
    }
}

private func check<R>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) throws -> R {
    try EngineError.check("LevelDB", free: { leveldb_free($0) }, body)
}
