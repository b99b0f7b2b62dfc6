import CPeers

/// RocksDB as its tuning guide has it for such a store: a filter of ten bits a key, memory for all of it in the block
/// cache, background work on as many threads as there are cores, log files used again (so that a sync need not write
/// their length), nothing compressed. Durable commits go in a pipeline; the others are faster without.
///
/// `@unchecked Sendable`, because all properties are constant, and a RocksDB database is made for many threads.
final class RocksDBEngine: Engine, @unchecked Sendable {
    fileprivate let database: OpaquePointer
    fileprivate let writing: OpaquePointer
    fileprivate let reading: OpaquePointer

    init(_ folder: String, _ mode: Mode) throws {
        let options = Self.options(mode)
        defer { rocksdb_options_destroy(options) }
        database = try check { rocksdb_open(options, folder, $0) }!
        writing = rocksdb_writeoptions_create()
        rocksdb_writeoptions_set_sync(writing, mode.durability == .durable ? 1 : 0)
        reading = rocksdb_readoptions_create()
    }

    private static func options(_ mode: Mode) -> OpaquePointer {
        let options: OpaquePointer = rocksdb_options_create()
        rocksdb_options_set_create_if_missing(options, 1)
        rocksdb_options_set_compression(options, Int32(rocksdb_no_compression))
        rocksdb_options_increase_parallelism(options, 2)
        rocksdb_options_set_write_buffer_size(options, mode.writeBufferBytes ?? 64 << 20)
        rocksdb_options_set_max_write_buffer_number(options, 4)
        rocksdb_options_set_recycle_log_file_num(options, 4)
        rocksdb_options_set_enable_pipelined_write(options, mode.durability == .durable ? 1 : 0)
        let table = rocksdb_block_based_options_create()
        defer { rocksdb_block_based_options_destroy(table) }
        let cache = rocksdb_cache_create_lru(mode.cacheBytes)
        defer { rocksdb_cache_destroy(cache) }
        rocksdb_block_based_options_set_block_cache(table, cache)
        rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10))
        rocksdb_options_set_block_based_table_factory(options, table)
        return options
    }

    func makeSession() -> any Session { RocksDBSession(self) }

    func scan() throws -> ScanSum {
        let iterator = rocksdb_create_iterator(database, reading)
        defer { rocksdb_iter_destroy(iterator) }
        var sum = ScanSum()
        var length = 0
        rocksdb_iter_seek_to_first(iterator)
        while rocksdb_iter_valid(iterator) != 0 {
            sum.add(rocksdb_iter_key(iterator, &length), rocksdb_iter_value(iterator, &length))
            rocksdb_iter_next(iterator)
        }
        try check { rocksdb_iter_get_error(iterator, $0) }
        return sum
    }

    /// Each commit has done so.
    func flush() {}

    func close() {
        rocksdb_close(database)
        rocksdb_writeoptions_destroy(writing)
        rocksdb_readoptions_destroy(reading)
    }
}

private final class RocksDBSession: Session {
    private let engine: RocksDBEngine
    private let changes: OpaquePointer = rocksdb_writebatch_create()

    init(_ engine: RocksDBEngine) { self.engine = engine }

    deinit { rocksdb_writebatch_destroy(changes) }

    func commit(_ batch: Batch) throws {
        rocksdb_writebatch_clear(changes)
        for position in 0..<batch.count {
            let key = batch.key(position)
            let value = batch.value(position)
            rocksdb_writebatch_put(changes, key.characters, key.count, value.characters, value.count)
        }
        try check { rocksdb_write(engine.database, engine.writing, changes, $0) }
    }

    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        let found = try check {
            rocksdb_get_pinned(engine.database, engine.reading, key.characters, key.count, $0)
        }
        guard let found else { return false }
        defer { rocksdb_pinnableslice_destroy(found) }
        var length = 0
        let value = rocksdb_pinnableslice_value(found, &length)
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: value, count: length))
        return true
    }
}

private func check<R>(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R) throws -> R {
    try EngineError.check("RocksDB", free: { rocksdb_free($0) }, body)
}
