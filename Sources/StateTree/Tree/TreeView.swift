public import Hashing

/// Where the writer ended without a view: what it takes to hash the state there.
public struct TreeEnd: Sendable {
    let generation: Int64
    let rootSlot: UInt32
    /// The number of keys.
    public let count: Int
    let treeDigest: Digest?
}

/// The state as it was at one freeze: never changed, never blocked, readable from any thread.
///
/// Costs O(1) to make and pins the pages it shows until it is released.
/// `@unchecked Sendable`, because every property is a constant, and what `pool` does for readers is safe from any
/// thread (see `PagePool`).
public final class TreeView: @unchecked Sendable {
    let pool: PagePool
    /// The generation that this view pins; `nil` if it pins none.
    public let generation: Int64?
    let rootSlot: UInt32
    /// The number of keys.
    public let count: Int
    /// The hash of the tree below the root; `nil` if the view was made without hashing.
    let treeDigest: Digest?

    init(pool: PagePool, pinning generation: Int64?, rootSlot: UInt32, count: Int, treeDigest: Digest?) {
        self.pool = pool
        self.generation = generation
        self.rootSlot = rootSlot
        self.count = count
        self.treeDigest = treeDigest
    }

    /// The same, with a root.
    init(_ view: TreeView, treeDigest: Digest) {
        pool = view.pool
        generation = view.generation
        rootSlot = view.rootSlot
        count = view.count
        self.treeDigest = treeDigest
        if let generation { pool.pin(generation) }
    }

    deinit { if let generation { pool.unpin(generation) } }

    /// Whether some of what it shows may not be in memory.
    var isPaged: Bool { pool.isPaged }

    /// Whether the view was made with hashing, so that it has a root and can prove.
    public var isHashed: Bool { treeDigest != nil }

    /// The root of the state; `nil` if the view was made without hashing.
    public var root: Digest? { treeDigest.map { StateHash.root(count: count, tree: $0) } }

    // MARK: - Reading

    /// Runs `body`, within which all that is read stays in memory. Where a store holds what does not fit in memory,
    /// keep it short: meanwhile nothing leaves. Costs some ten nanoseconds there, else nothing.
    @inline(__always)
    public func reading<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        let reading = pool.beginReading()
        defer { pool.endReading(reading) }
        return try body()
    }

    /// `reading` in two halves, for who cannot give a closure: hand what this returns to `endReading`.
    public func beginReading() -> UnsafeMutablePointer<Int64>? { pool.beginReading() }
    public func endReading(_ reading: UnsafeMutablePointer<Int64>?) { pool.endReading(reading) }

    /// The value of a key, as it lies in memory: valid while the view is, and `reading` lasts. Costs one descent and one
    /// key comparison.
    public func value(for key: UnsafeRawBufferPointer) throws(PageError) -> UnsafeRawBufferPointer? {
        guard rootSlot != 0 else { return nil }
        var page = pool.page(rootSlot)
        while true {
            let entry = page.entry(for: key)
            guard page.isChild(entry) else {
                let record = page.record(entry)
                return KeyBits.equal(record.key, key) ? try pool.value(of: record) : nil
            }
            page = try pool.child(page, entry)
        }
    }
}
