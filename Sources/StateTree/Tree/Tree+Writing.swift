import Hashing

/// What writes the tree: one key at a time, in the pages of the writer's own generation.
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
    /// - Parameters:
    ///   - index: the number of the key in the last `lookUp`, below `lookUpCountMax`, if it was among those.
    ///   - overwritten: is told what the key held before, which must not be a long value.
    public func put(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, lookedUpAs index: Int? = nil,
        noting overwritten: Overwritten? = nil
    ) throws(PageError) {
        precondition((1...Limits.keyBytesMax).contains(key.count) && value.count <= Limits.valueBytesMax)
        try reading { () throws(PageError) in
            guard rootSlot != 0 else {
                overwritten?.add(key, nil)
                return plant(key, value)
            }
            let record = try descend(to: key, lookedUpAs: index)
            touch()
            guard let difference = KeyBits.firstDifference(key, record.key) else {
                overwritten?.add(key, record)
                return update(key, value)
            }
            overwritten?.add(key, nil)
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

    /// Whether a key is there.
    public func contains(_ key: UnsafeRawBufferPointer) throws(PageError) -> Bool {
        guard rootSlot != 0 else { return false }
        return try reading { () throws(PageError) in KeyBits.equal(try descend(to: key).key, key) }
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

    /// Makes the last page of the path writable and those above it markable, and marks stale what lies on the key's way: all
    /// of it, or in the last page only what branches before bit `bound`.
    private func makeWritable(through last: Int, marking key: UnsafeRawBufferPointer, before bound: Int = .max) {
        // Who hashes the generation before looks at its root, and at what is below a mark that a copy took over.
        let isBeingHashed = pool.hashedGeneration != pool.generation - 1
        var isLookedAt = isBeingHashed
        for i in 0...last {
            let slot = path[i].slot
            let page =
                i == last ? pool.writable(slot, isLookedAt: isLookedAt) : pool.markable(slot, isLookedAt: isLookedAt)
            let marks = page.isTakenEarly ? page.earlierEntries : page.dirtyEntries
            if page.slot != slot { put(page.slot, at: i) }
            isLookedAt = isBeingHashed && marks >> UInt64(path[i].entry) & 1 != 0
            if i == last, bound != .max {
                page.markPath(for: key, before: bound)
            } else {
                page.dirtyGaps |= path[i].gaps
                page.dirtyEntries |= 1 << UInt64(path[i].entry)
            }
        }
    }

    /// Makes a page of the path writable that is markable.
    private func makeWritable(_ level: Int) {
        let page = pool.writable(path[level].slot, isLookedAt: false)
        if page.slot != path[level].slot { put(page.slot, at: level) }
    }

    /// Puts a page in the place of the one at a level of the path.
    private func put(_ slot: UInt32, at level: Int) {
        path[level].slot = slot
        if level == 0 {
            rootSlot = slot
        } else {
            pool.page(path[level - 1].slot).refs[path[level - 1].entry] = slot | Page.childFlag
        }
    }

    func payload(_ value: UnsafeRawBufferPointer, of key: UnsafeRawBufferPointer) -> Payload {
        guard value.count > Page.inlineValueBytesMax else { return .inline(value) }
        return .long(slot: pool.makeValue(value, of: key), count: value.count)
    }

    /// The first key of an empty tree.
    private func plant(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let leaf = PageImage.Entry(content: .new(key: key, payload(value, of: key)), hash: .zero, isDirty: true)
        let (page, slot) = pool.makePage()
        PageImage(entries: [leaf], gaps: []).encode(into: page, slot: slot, generation: pool.generation)
        plant(rootPage: slot, count: 1)
    }

    /// Begins an empty tree with a root page.
    func plant(rootPage slot: UInt32, count: Int) {
        touch()
        head.pointee.shape += 1
        rootSlot = slot
        self.count = count
    }

    private func update(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let last = path.count - 1
        makeWritable(through: last, marking: key)
        let (slot, entry) = (path[last].slot, path[last].entry)
        let page = pool.page(slot)
        let record = page.record(entry)
        if record.isLong { pool.discardValue(of: record) }
        let payload = payload(value, of: key)
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
        let payload = payload(value, of: key)
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
                makeWritable(level - 1)
                let (parent, entry) = parent(of: level)
                (hash, isDirty) = (parent.entryHashes[entry], parent.dirtyEntries >> UInt64(entry) & 1 == 1)
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
                makeWritable(level - 1)
                var image = PageImage(pool.page(path[level - 1].slot))
                image.absorb(child, at: entry)
                settle(image, at: level - 1)
                pool.discardPage(child.slot)
            }
        }
        while pool.page(rootSlot).count == 1, pool.page(rootSlot).isChild(0) {
            let child = pool.page(rootSlot).child(0)
            guard pool.page(child).word > 0 else { return }
            // One that was written since is in no snapshot yet, and those to come know it as their root.
            if pool.page(child).generation <= pool.writer.pointee.newestSnapshot { pool.paging?.keep(child) }
            pool.discardPage(rootSlot)
            rootSlot = child
        }
    }
}
