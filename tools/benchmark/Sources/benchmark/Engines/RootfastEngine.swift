import Rootfast

/// Rootfast through its blocking interface, with the options that it comes with, but for memory.
final class RootfastEngine: Engine {
    private let store: Store

    init(_ folder: String, _ mode: Mode) throws {
        store = try Store.open(folder, mode: .createIfMissing, options: Options(mode))
    }

    func makeSession() -> any Session { RootfastSession(store) }
    func makeCopyingSession() -> any Session { RootfastCopyingSession(store) }

    func scan() throws -> ScanSum {
        var sum = ScanSum()
        try store.view.scan { key, value in
            sum.add(key.baseAddress!, value.baseAddress!)
            return true
        }
        return sum
    }

    func flush() throws { try store.flush() }

    func close() throws { try store.close() }
}

extension Options {
    fileprivate init(_ mode: Mode) {
        self.init()
        memoryBytesMax = mode.cacheBytes
        maintainsItself = mode.takesSnapshots
        durability =
            switch mode.durability {
            case .durable: .sync
            case .relaxed: .async(interval: .milliseconds(100))
            case .loading: .none
            }
    }
}

/// Reads from one view that it keeps, as LMDB's session from one transaction.
private final class RootfastSession: Session {
    private let store: Store
    private lazy var view = store.view

    init(_ store: Store) { self.store = store }

    func commit(_ batch: Batch) throws { try store.commit(batch) }

    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        try view.withValue(of: key) { value in
            guard let value else { return false }
            buffer.copyMemory(from: value)
            return true
        }
    }
}

/// Reads by `Store.get`: the newest view and an array of its own for each value.
private final class RootfastCopyingSession: Session {
    private let store: Store

    init(_ store: Store) { self.store = store }

    func commit(_ batch: Batch) throws { try store.commit(batch) }

    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool {
        guard let value = try store.get(key) else { return false }
        buffer.copyBytes(from: value)
        return true
    }
}

extension Store {
    fileprivate func commit(_ batch: Batch) throws {
        try write { transaction in
            for position in 0..<batch.count {
                try transaction.put(batch.key(position), batch.value(position))
            }
        }
    }
}
