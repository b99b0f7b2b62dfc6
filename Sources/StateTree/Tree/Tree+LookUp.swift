extension Tree {
    /// So many keys at most are looked up together.
    public static let lookUpCountMax = LookUps.countMax

    /// Looks up some keys side by side, a page of each at a time, so that the time to fetch the pages of many keys is that of
    /// one. Pages that are not in memory are read, and stay within the same `reading`. A `put` of one of the keys, if it is
    /// there and no key came or went since, goes its way again without a search. Answers whether none may hold a long value.
    @discardableResult
    public func lookUp(_ count: Int, _ key: (Int) -> UnsafeRawBufferPointer) throws(PageError) -> Bool {
        precondition(count <= Self.lookUpCountMax)
        guard rootSlot != 0 else { return true }
        for i in 0..<count { lookUps.begin(i) }
        return try reading { () throws(PageError) in
            var isMoving = true
            while isMoving {
                isMoving = false
                for i in 0..<count where try advance(i, toward: key(i)) { isMoving = true }
            }
            // Not when each arrives: its record is still on its way then.
            return (0..<count).allSatisfy { !(lookUps[$0].record?.isLong ?? false) }
        }
    }

    /// Takes a look-up one page on, asking for what it will need next; false once it has arrived.
    private func advance(_ index: Int, toward key: UnsafeRawBufferPointer) throws(PageError) -> Bool {
        let lookUp = lookUps.at(index)
        guard lookUp.pointee.isMoving else { return false }
        let page: Page
        if let parent = lookUp.pointee.page {
            page = try pool.child(parent, lookUp.pointee.entry)
        } else {
            page = pool.page(rootSlot)
        }
        let (entry, gaps) = page.way(of: key)
        lookUps.add(LookUp.Step(entry: entry, gaps: gaps), to: index)
        guard page.isChild(entry) else {
            let isCopied = page.generation != pool.generation && !pool.isUnseen(page)
            if isCopied { page.prefetchAll() } else { page.prefetchEdit(at: entry) }
            lookUps.end(index, shape)
            lookUp.pointee.record = page.record(entry)
            return false
        }
        pool.page(page.child(entry)).prefetchSearch()
        (lookUp.pointee.page, lookUp.pointee.entry) = (page, entry)
        return true
    }
}

/// Where one look-up is, and the way it has gone.
struct LookUp {
    /// It comes next to the child at `entry` of this page, or if there is none, to the root.
    var page: Page?
    var entry = 0
    var isMoving = true
    /// Of the tree that it found its way in; -1 if it has not arrived, or its way was too long to be kept.
    var shape = -1
    var depth = 0
    /// What it ended at.
    var record: Record?
    let steps: UnsafeMutablePointer<Step>

    /// Where the way leaves a page, and the gaps it passes there. Which page that is may change: it may be copied.
    struct Step {
        var entry: Int
        var gaps: UInt64
    }
}

/// The look-ups that go on side by side; at hand through a pointer, like the tree's head.
struct LookUps {
    static let countMax = 64
    /// A way through more pages is not kept.
    private static let depthMax = 8

    private let lookUps: UnsafeMutablePointer<LookUp>
    private let steps: UnsafeMutablePointer<LookUp.Step>

    init() {
        steps = .allocate(capacity: Self.countMax * Self.depthMax)
        lookUps = .allocate(capacity: Self.countMax)
        for i in 0..<Self.countMax {
            (lookUps + i).initialize(to: LookUp(isMoving: false, steps: steps + i * Self.depthMax))
        }
    }

    func free() {
        lookUps.deallocate()
        steps.deallocate()
    }

    subscript(index: Int) -> LookUp {
        precondition(index >= 0 && index < Self.countMax)
        return lookUps[index]
    }
    func at(_ index: Int) -> UnsafeMutablePointer<LookUp> { lookUps + index }

    func begin(_ index: Int) { lookUps[index] = LookUp(steps: lookUps[index].steps) }

    @inline(__always)
    func add(_ step: LookUp.Step, to index: Int) {
        let depth = lookUps[index].depth
        if depth < Self.depthMax { lookUps[index].steps[depth] = step }
        lookUps[index].depth = depth &+ 1
    }

    func end(_ index: Int, _ shape: Int) {
        lookUps[index].isMoving = false
        if lookUps[index].depth <= Self.depthMax { lookUps[index].shape = shape }
    }
}
