public import Hashing

/// The ordered map from key to value with its Merkle root: the writable head of the state.
///
/// A commit costs work in the tree's depth. Hashing is put off until `freeze(hashing: true)` or `hash`, which hash every
/// stale node once, many at a time. `freeze` gives a `TreeView` in O(1) and without copying: pages are copied when
/// they are next written. One thread at a time may use a tree, but for `hash`; views may be read from any thread.
///
/// The tree is a function of its pairs alone: its root does not depend on the order of writes or on the page layout.
public final class Tree {
    let pool: PagePool
    let kernel: HashKernel
    private let head: UnsafeMutablePointer<Head>
    private let path = GrowingBuffer<Step>()
    let lookUps = LookUps()
    private let hasher: Hasher
    private var lastView: TreeView?

    /// What each write touches; at hand through a pointer, as class properties cost a check at each access.
    private struct Head {
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
        var gaps: UInt128
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
        _ = try paging.fetch(stored.rootSlot, expecting: stored.digest)
        paging.keep(stored.rootSlot)
        head.pointee.rootSlot = stored.rootSlot
    }

    deinit {
        head.deallocate()
        path.free()
        lookUps.free()
    }

    /// The number of keys.
    public private(set) var count: Int {
        get { head.pointee.count }
        set { head.pointee.count = newValue }
    }
    /// The slot of the root page, 0 if there is no key.
    private(set) var rootSlot: UInt32 {
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

    /// Whether memory for pages should be made ahead; `makeRoomAhead` does, and may be called from any thread.
    public var isRoomDue: Bool { pool.frames.isSpareDue }
    public var makeRoomAhead: @Sendable () -> Void { { [pool] in pool.frames.makeSpare() } }

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

// MARK: - Writing

extension Tree {
    /// Runs `body`, within which pages that were read stay in memory: what `lookUp` has come by, a `put` finds.
    @inline(__always)
    public func reading<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        guard pool.isPaged, !head.pointee.isReading else { return try body() }
        head.pointee.isReading = true
        let reading = pool.beginReading()
        defer {
            pool.endReading(reading)
            head.pointee.isReading = false
        }
        return try body()
    }

    /// Sets the value of a key. Requires sizes within `Limits`; neither buffer is kept. If a page cannot be read, nothing
    /// is changed.
    ///
    /// - Parameter index: the number of the key in the last `lookUp`, if it was among those: its way is not searched again.
    public func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, lookedUpAs index: Int? = nil
    ) throws(PageError) {
        precondition((1...Limits.keyBytesMax).contains(key.count) && value.count <= Limits.valueBytesMax)
        try reading { () throws(PageError) in
            guard rootSlot != 0 else { return plant(key, value) }
            let record = try descend(to: key, lookedUpAs: index)
            touch()
            guard let difference = KeyBits.firstDifference(key, record.key) else { return update(key, value) }
            insert(key, value, differingAt: difference)
        }
    }

    /// Removes a key; answers whether it was there. If a page cannot be read, nothing is changed.
    ///
    /// - Parameter index: as for `put`.
    @discardableResult
    public func delete(_ key: UnsafeRawBufferPointer, lookedUpAs index: Int? = nil) throws(PageError) -> Bool {
        try reading { () throws(PageError) in
            guard rootSlot != 0, KeyBits.equal(try descend(to: key, lookedUpAs: index).key, key) else { return false }
            touch()
            remove(key)
            return true
        }
    }

    /// Removes the key that the path leads to.
    private func remove(_ key: UnsafeRawBufferPointer) {
        head.pointee.shape += 1
        let last = path.count - 1
        makeWritable(through: last, marking: key)
        let page = pool.page(path[last].slot)
        let entry = path[last].entry
        let record = page.record(entry)
        if record.isLong { pool.discardValue(of: record) }
        count -= 1
        if page.count == 1 {
            pool.discardPage(rootSlot)
            rootSlot = 0
        } else {
            page.remove(at: entry)
            shrink(from: last)
        }
    }

    private func touch() {
        guard !head.pointee.isTouched || head.pointee.isHashed || lastView != nil else { return }
        head.pointee.isTouched = true
        head.pointee.isHashed = false
        lastView = nil
    }

    /// Follows the key's bits from the root to a leaf, noting the path.
    private func descend(
        to key: UnsafeRawBufferPointer, lookedUpAs index: Int? = nil
    ) throws(PageError) -> Record {
        if let index, let record = retrace(lookUps[index], to: key) { return record }
        path.removeAll()
        var slot = rootSlot
        var page = pool.page(slot)
        while true {
            let (entry, gaps) = page.way(of: key)
            path.append(Step(slot: slot, entry: entry, gaps: gaps))
            guard page.isChild(entry) else { return page.record(entry) }
            slot = page.child(entry)
            page = try pool.child(page, entry)
        }
    }

    /// Goes the way of a look-up, noting the path, if it still leads to the key; the key's own pages may have been copied
    /// since.
    private func retrace(_ lookUp: LookUp, to key: UnsafeRawBufferPointer) -> Record? {
        guard lookUp.shape == head.pointee.shape else { return nil }
        path.removeAll()
        var slot = rootSlot
        for level in 0..<lookUp.depth {
            let page = pool.page(slot)
            guard page.word > 0 else { return nil }
            let step = lookUp.steps[level]
            path.append(Step(slot: slot, entry: step.entry, gaps: step.gaps))
            slot = page.child(step.entry)
        }
        let record = pool.page(path[path.count - 1].slot).record(path[path.count - 1].entry)
        return KeyBits.equal(record.key, key) ? record : nil
    }

    /// Makes the pages of the path down to `last` writable and marks stale what lies on the key's way: all of it, or
    /// in the last page only what branches before bit `bound`.
    private func makeWritable(through last: Int, marking key: UnsafeRawBufferPointer, before bound: Int = .max) {
        for i in 0...last {
            let page = pool.writable(path[i].slot)
            if page.slot != path[i].slot {
                path[i].slot = page.slot
                if i == 0 {
                    rootSlot = page.slot
                } else {
                    pool.page(path[i - 1].slot).refs[path[i - 1].entry] = page.slot | Page.childFlag
                }
            }
            if i == last, bound != .max {
                page.markPath(for: key, before: bound)
            } else {
                page.dirtyGaps |= path[i].gaps
                page.dirtyEntries |= 1 << UInt128(path[i].entry)
            }
        }
    }

    private func payload(_ value: UnsafeRawBufferPointer) -> Payload {
        guard value.count > Page.inlineValueBytesMax else { return .inline(value) }
        return .long(slot: pool.makeValue(value), count: value.count)
    }

    /// The first key of an empty tree.
    private func plant(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        touch()
        head.pointee.shape += 1
        let leaf = PageImage.Entry(content: .new(key: key, payload(value)), hash: .zero, isDirty: true)
        let (page, slot) = pool.makePage()
        PageImage(entries: [leaf], gaps: []).encode(into: page, slot: slot, generation: pool.generation)
        rootSlot = slot
        count = 1
    }

    private func update(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let last = path.count - 1
        makeWritable(through: last, marking: key)
        let (slot, entry) = (path[last].slot, path[last].entry)
        let page = pool.page(slot)
        let record = page.record(entry)
        if record.isLong { pool.discardValue(of: record) }
        let payload = payload(value)
        if page.replacePayload(at: entry, with: payload) { return }
        var image = PageImage(page)
        image.entries[entry].content = .new(key: record.key, payload)
        settle(image, at: last)
    }

    private func insert(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, differingAt bit: Int
    ) {
        let level = insertionLevel(of: key, differingAt: bit)
        makeWritable(through: level, marking: key, before: bit)
        let slot = path[level].slot
        let page = pool.page(slot)
        let run = page.run(above: bit, for: key)
        let goesRight = KeyBits.bit(bit, of: key) == 1
        let position = goesRight ? run.upperBound + 1 : run.lowerBound
        let gap = goesRight ? run.upperBound : run.lowerBound
        page.markTop(ifBelow: bit)
        let payload = payload(value)
        count += 1
        head.pointee.shape += 1
        if page.insert(key, payload, at: position, gap: gap, bit: bit) { return }
        var image = PageImage(page)
        image.entries.insert(.init(content: .new(key: key, payload), hash: .zero, isDirty: true), at: position)
        image.gaps.insert(.init(bit: bit, hash: .zero, isDirty: true), at: gap)
        settle(image, at: level)
    }

    /// The first page of the path that the key's way leaves at a bit beyond `bit`, or the last one.
    private func insertionLevel(of key: UnsafeRawBufferPointer, differingAt bit: Int) -> Int {
        let last = path.count - 1
        return (0..<last).first { pool.page(path[$0].slot).exitBit(for: key) > bit } ?? last
    }

    /// Lays an image out as the page at a level of the path. A page that is too large is split, and its parent takes
    /// the parts; the tree grows a level where that goes on up to the root.
    private func settle(_ image: PageImage, at level: Int) {
        head.pointee.shape += 1
        var image = image
        var level = level
        var abandoned: [UInt32] = []
        while !image.fits {
            var (hash, isDirty) = (Digest.zero, true)
            if level > 0 {
                let (parent, entry) = parent(of: level)
                (hash, isDirty) = (parent.entryHashes[entry], parent.dirtyEntries >> UInt128(entry) & 1 == 1)
            }
            let parts = image.split(hash: hash, isDirty: isDirty) { part in
                let (page, slot) = pool.makePage()
                part.encode(into: page, slot: slot, generation: pool.generation)
                return slot
            }
            // Entries that went up still lie in the old page.
            abandoned.append(path[level].slot)
            if level == 0 {
                rootSlot = pool.makeBlankPage()
                path.insert(Step(slot: rootSlot, entry: 0, gaps: 0), at: 0)
                image = parts
            } else {
                let (parent, entry) = parent(of: level)
                image = PageImage(parent)
                image.replaceChild(at: entry, by: parts)
                level -= 1
            }
        }
        pool.rewrite(path[level].slot, as: image)
        for slot in abandoned { pool.discardPage(slot) }
    }

    private func parent(of level: Int) -> (page: Page, entry: Int) {
        (pool.page(path[level - 1].slot), path[level - 1].entry)
    }

    /// After a removal: a page that has become small is taken in by its parent, and a root page with nothing but a
    /// child gives way to it, if that is in memory.
    private func shrink(from level: Int) {
        if level > 0 {
            let child = pool.page(path[level].slot)
            let (parent, entry) = parent(of: level)
            let together = parent.usedBytes(frame: Page.frameBytes) + child.usedBytes(frame: Page.frameBytes)
            if child.count == 1 || together <= Page.frameBytes * 3 / 4 {
                var image = PageImage(parent)
                image.absorb(child, at: entry)
                settle(image, at: level - 1)
                pool.discardPage(child.slot)
            }
        }
        while pool.page(rootSlot).count == 1, pool.page(rootSlot).isChild(0) {
            let child = pool.page(rootSlot).child(0)
            guard pool.page(child).word > 0 else { return }
            pool.paging?.keep(child)
            pool.discardPage(rootSlot)
            rootSlot = child
        }
    }
}
