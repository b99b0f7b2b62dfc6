public import Hashing

/// The ordered map from key to value with its Merkle root: the writable head of the state.
///
/// A commit costs work in the tree's depth. Hashing is put off until `freeze(hashing: true)` or `hash`, which hash every
/// stale node once, many at a time. `freeze` gives a `TreeView` in O(1) and without copying: pages that a view shows are
/// copied when they are next written, others are written in their place. One thread at a time may use a tree, but for
/// `hash` and `root(of:)`; views may be read from any thread.
///
/// The tree is a function of its pairs alone: its root does not depend on the order of writes or on the page layout.
public final class Tree {
    let pool: PagePool
    let kernel: HashKernel
    let head: UnsafeMutablePointer<Head>
    let path = GrowingBuffer<Step>()
    let lookUps = LookUps()
    private let hasher: Hasher
    var lastView: TreeView?

    /// What each write touches; at hand through a pointer, as class properties cost a check at each access.
    struct Head {
        var rootSlot: UInt32 = 0
        var count = 0
        var rootDigest = Digest.zero
        /// Whether something changed since the last freeze, and since the last hashing.
        var isTouched = true
        var isHashed = true
        var isReading = false
        /// Counts what changes more than a value in its place: a way through the tree that was found before still leads
        /// to its key while this stays the same.
        var shape = 0
    }

    /// A page that a look-up passes, and where it leaves it.
    struct Step {
        var slot: UInt32
        var entry: Int
        /// The gaps passed in it.
        var gaps: UInt64
    }

    /// A tree with no key. `kernel` does the hashing.
    ///
    /// With a store, what a snapshot keeps there may leave memory: up to `budgetBytes` stay.
    public init(kernel: HashKernel, store: (any PageStore)? = nil, budgetBytes: Int = .max) {
        pool = PagePool(store, budgetBytes: budgetBytes, kernel)
        self.kernel = kernel
        hasher = Hasher(pool, kernel)
        head = .allocate(capacity: 1)
        head.initialize(to: Head())
    }

    /// The tree that a snapshot kept in a store. Reads its root page.
    public convenience init(
        _ stored: StoredTree, in store: any PageStore, budgetBytes: Int, kernel: HashKernel
    ) throws(PageError) {
        self.init(kernel: kernel, store: store, budgetBytes: budgetBytes)
        try adopt(stored)
    }

    private func adopt(_ stored: StoredTree) throws(PageError) {
        pool.adopt(stored.numbering)
        head.pointee.count = stored.count
        head.pointee.rootDigest = stored.digest
        guard stored.rootPage != 0 else { return }
        guard let paging = pool.paging else { preconditionFailure("a stored tree needs its store") }
        try paging.adopt(page: stored.rootPage, at: stored.rootSlot, stored.digest)
        _ = try paging.fetch(stored.rootSlot, expecting: stored.digest, isRoot: true)
        paging.keep(stored.rootSlot)
        head.pointee.rootSlot = stored.rootSlot
    }

    deinit {
        head.deallocate()
        path.free()
        lookUps.free()
    }

    /// The number of keys.
    public internal(set) var count: Int {
        get { head.pointee.count }
        set { head.pointee.count = newValue }
    }
    /// The slot of the root page, 0 if there is no key.
    var rootSlot: UInt32 {
        get { head.pointee.rootSlot }
        set { head.pointee.rootSlot = newValue }
    }
    /// Changes when a way through the tree may lead elsewhere than it did.
    var shape: Int { head.pointee.shape }

    /// Whether some of it may not be in memory.
    public var isPaged: Bool { pool.isPaged }

    /// The oldest generation that a view shows; may be asked from any thread once there is a view.
    public var oldestOnShow: Int64 { pool.oldestPinned }

    /// Bytes of memory held for pages and values, of this tree and of all views that are still in use.
    public var memoryBytes: Int { pool.byteCount }

    /// Whether memory for pages should be made ahead; `makeRoomAhead` does, and may be called from any thread. It keeps
    /// nothing of the tree.
    public var isRoomDue: Bool { pool.frames.isSpareDue }
    public var makeRoomAhead: @Sendable () -> Void { { [weak pool] in pool?.frames.makeSpare() } }

    /// Makes this tree what `view` shows. Requires a hashed view of this tree. O(1).
    public func revert(to view: TreeView) {
        guard view.pool === pool, let digest = view.treeDigest else {
            preconditionFailure("a tree goes back to a hashed view of its own")
        }
        rootSlot = view.rootSlot
        count = view.count
        head.pointee.shape += 1
        head.pointee.rootDigest = digest
        head.pointee.isHashed = true
        head.pointee.isTouched = true
    }

    /// A view of the tree as it is now. With `hashing`, the view has a root and can prove.
    ///
    /// Costs O(1) without hashing; with it, one hash for each node above a changed key.
    public func freeze(hashing: Bool) -> TreeView {
        if hashing, !head.pointee.isHashed {
            hash()
        } else if !head.pointee.isTouched, let lastView, lastView.treeDigest != nil || !hashing {
            return lastView
        }
        lastView = nil
        pool.reclaim()
        let view = TreeView(
            pool: pool, pinning: pool.freeze(), rootSlot: rootSlot, count: count,
            treeDigest: hashedDigest)
        if let generation = view.generation, let digest = hashedDigest { hasher.note(generation, digest) }
        head.pointee.isTouched = false
        lastView = view
        return view
    }

    /// Ends what is written, as `freeze` does, without a view: what no view shows is written in its place once it is hashed,
    /// and not copied. Requires that the end before is hashed. O(1).
    public func end() -> TreeEnd {
        lastView = nil
        pool.reclaimIfMuch()
        let end = TreeEnd(generation: pool.end(), rootSlot: rootSlot, count: count, treeDigest: hashedDigest)
        if let digest = hashedDigest { hasher.note(end.generation, digest) }
        head.pointee.isTouched = false
        return end
    }

    /// The root of the state at an end. Costs and requires what `hash` does, and may run beside what that may.
    public func root(of end: TreeEnd) -> Digest { root(of: end) {} }

    /// The same. `meanwhile` is called between listing what is stale and hashing it, and after each part of that, unless it
    /// is hashed already.
    package func root(of end: TreeEnd, meanwhile: () -> Void) -> Digest {
        let digest = end.treeDigest ?? hasher.hash(end.generation, below: end.rootSlot, meanwhile: meanwhile)
        return StateHash.root(count: end.count, tree: digest)
    }

    /// A view of the state that a view shows which was frozen without hashing, with a root. Costs what `freeze` would have
    /// cost more with hashing.
    ///
    /// May run on another thread, beside all that the writer does but `freeze(hashing: true)`, `root`, `revert` and
    /// another `hash`. Requires that nothing that was frozen later is hashed, and that no snapshot is taken in between.
    public func hash(_ view: TreeView) -> TreeView {
        guard view.pool === pool, let generation = view.generation else {
            preconditionFailure("a tree hashes views of its own")
        }
        return view.isHashed ? view : TreeView(view, treeDigest: hasher.hash(generation, below: view.rootSlot))
    }
}

extension Tree {
    /// The root of the state as it is now. Costs one hash for each node above a changed key.
    public func root() -> Digest {
        if !head.pointee.isHashed { hash() }
        return StateHash.root(count: count, tree: head.pointee.rootDigest)
    }

    /// The tree as it is now, without keeping it: for the writer's own use before its next write.
    public var unpinned: TreeView {
        TreeView(pool: pool, pinning: nil, rootSlot: rootSlot, count: count, treeDigest: hashedDigest)
    }

    private var hashedDigest: Digest? { head.pointee.isHashed ? head.pointee.rootDigest : nil }

    private func hash() {
        head.pointee.rootDigest = hasher.hashInPlace(below: rootSlot)
        head.pointee.isHashed = true
    }
}
