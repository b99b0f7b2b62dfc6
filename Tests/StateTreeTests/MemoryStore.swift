import StateTree
import Threading

/// A page store in memory, which counts what is read from it.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only.
final class MemoryStore: PageStore, @unchecked Sendable {
    private let lock = Lock()
    private var pages: [UInt64: [UInt8]] = [:]
    private var values: [UInt64: [UInt8]] = [:]
    private var reads = 0
    private var last: (page: UInt64, longValue: UInt64) = (0, 0)

    var readCount: Int { lock.withLock { reads } }
    var pageIDs: [UInt64] { lock.withLock { pages.keys.sorted() } }
    var longValueIDs: [UInt64] { lock.withLock { values.keys.sorted() } }

    func page(_ id: UInt64) throws(PageError) -> [UInt8] {
        try lock.withLock { () throws(PageError) in
            reads += 1
            guard let bytes = pages[id] else { throw PageError(.damaged, .page, id, "it is missing") }
            return bytes
        }
    }

    func longValue(_ id: UInt64) throws(PageError) -> [UInt8] {
        try lock.withLock { () throws(PageError) in
            reads += 1
            guard let bytes = values[id] else { throw PageError(.damaged, .longValue, id, "it is missing") }
            return bytes
        }
    }

    /// Changes the stored bytes of a page; `nil` removes it.
    func damage(page id: UInt64, _ change: ([UInt8]) -> [UInt8]?) {
        lock.withLock { pages[id] = change(pages[id] ?? []) }
    }

    func damage(longValue id: UInt64, _ change: ([UInt8]) -> [UInt8]?) {
        lock.withLock { values[id] = change(values[id] ?? []) }
    }

    /// Stores what a tree has and this has not, and removes what the tree dropped, if `keepsOld` is false.
    ///
    /// - Parameter meanwhile: what the tree's writer does between the barrier and the first page.
    func snapshot(
        _ tree: Tree, of view: TreeView, keepsOld: Bool = true, meanwhile: () -> Void = {}
    ) throws -> StoredTree {
        let unstored = tree.unstoredPages(of: view, after: lock.withLock { last })
        meanwhile()
        guard unstored.collect() else { fatalError("nothing stops it") }
        for i in 0..<unstored.pageCount {
            let page = unstored.page(i)
            lock.withLock { pages[page.id] = page.bytes }
            try unstored.verifyPage(i, page.bytes)
        }
        for i in 0..<unstored.longValueCount {
            let value = unstored.longValue(i)
            lock.withLock { values[value.id] = Array(value.bytes) }
            try unstored.verifyLongValue(i, Array(value.bytes))
        }
        let stored = unstored.stored
        lock.withLock {
            last = (stored.lastPage, stored.lastLongValue)
            for item in unstored.dropped where !keepsOld {
                switch item {
                case .page(let id): pages[id] = nil
                case .longValue(let id): values[id] = nil
                }
            }
        }
        unstored.noteStored()
        return stored
    }
}
