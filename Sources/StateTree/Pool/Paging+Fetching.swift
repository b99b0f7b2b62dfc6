import Hashing
import Threading

/// How what is not in memory comes back: read, verified by its hash, and published.
extension Paging {
    /// Goes on from a stored tree.
    func adopt(_ numbering: PagePool.Numbering) {
        lock.withLock {
            usedSlots = UsedNumbers(count: numbering.slotCount, free: numbering.freeSlots)
            usedValues = UsedNumbers(count: numbering.valueCount, free: numbering.freeValues)
        }
    }

    /// Makes known which page of the store a slot stands for, and its hash.
    func adopt(page id: UInt64, at slot: UInt32, _ digest: Digest) throws(PageError) {
        try lock.withLock { () throws(PageError) in try note(page: id, at: slot, digest) }
    }

    /// A page's hash covers the hashes of its children, not their slots; and what is in memory at a slot is believed. So a
    /// slot that is known, or in use, stands for one page with one hash, whoever refers to it.
    private func note(page id: UInt64, at slot: UInt32, _ digest: Digest) throws(PageError) {
        guard slot > 0, Int(slot) < Frames.slotCountMax else {
            throw PageError(.damaged, .page, id, "there is no slot \(slot)")
        }
        frames.makeArena(of: slot)
        let (side, index) = (makeSide(of: slot), Int(slot) % Frames.perArena)
        let known = side.ids[index]
        guard known == 0 ? frames.page(slot).word == 0 : known == id && side.digests[index] == digest else {
            throw PageError(.damaged, .page, id, "slot \(slot) stands for another page already, \(known)")
        }
        guard known != 0 || usedSlots?.contains(slot) ?? true else {
            throw PageError(.damaged, .page, id, "slot \(slot) stood for no page")
        }
        (side.ids[index], side.digests[index]) = (id, digest)
    }

    /// Makes known the children of a page that is verified. With `lock` held.
    private func noteChildren(of stored: StoredPage) throws(PageError) {
        for child in stored.children { try note(page: child.id, at: child.slot, child.digest) }
    }

    /// Makes known the long values of a page, which it takes to hash it.
    private func noteValues(of stored: StoredPage) throws(PageError) {
        try lock.withLock { () throws(PageError) in
            for value in stored.longValues { try note(value) }
        }
    }

    /// Makes known all that a page refers to.
    func noteReferences(of stored: StoredPage) throws(PageError) {
        try noteValues(of: stored)
        try lock.withLock { () throws(PageError) in try noteChildren(of: stored) }
    }

    private func note(_ value: StoredPage.LongValue) throws(PageError) {
        guard Int(value.number) < LongValues.countMax else {
            throw PageError(.damaged, .longValue, value.id, "there is no long value \(value.number)")
        }
        values.makeChunk(of: value.number)
        let entry = values[value.number]
        // What is known or in memory is not written again, as readers may be at it.
        if entry.pointee.id == 0, values.word(value.number) == 0 {
            guard usedValues?.contains(value.number) ?? true else {
                throw PageError(.damaged, .longValue, value.id, "its number \(value.number) stood for none")
            }
            entry.pointee.id = value.id
            entry.pointee.count = value.count
            entry.pointee.digest = value.digest
            entry.pointee.leafMark = value.leafMark
            return
        }
        guard entry.pointee.id == value.id, entry.pointee.count == value.count, entry.pointee.digest == value.digest,
            entry.pointee.leafMark == value.leafMark
        else {
            throw PageError(.damaged, .longValue, value.id, "its number \(value.number) stands for another already")
        }
    }

    /// The slow way to a page: one that was cooled stays, and one that is not in memory is read and verified.
    ///
    /// - Parameter digest: what the page that refers to it says of it.
    func fetch(_ slot: UInt32, expecting digest: Digest, isRoot: Bool = false) throws(PageError) -> Page {
        do {
            return try bringBack(slot, expecting: digest, isRoot: isRoot)
        } catch {
            throw store.cause(of: error)
        }
    }

    private func bringBack(_ slot: UInt32, expecting digest: Digest, isRoot: Bool) throws(PageError) -> Page {
        let page = frames.page(slot)
        let id: UInt64? = lock.withLock {
            if page.word > 0 { return nil }
            if page.word < 0 {
                page.word &= .max
                return nil
            }
            return self.id(of: slot)
        }
        guard let id else { return page }
        let stored = try StoredPage(store.page(id), id: id)
        try stored.checkDescent(at: slot, isRoot: isRoot)
        try noteValues(of: stored)
        try withScratchFrame { scratch throws(PageError) in
            try stored.layOut(in: scratch, expecting: digest, values, kernel)
            try lock.withLock { () throws(PageError) in
                try noteChildren(of: stored)
                publish(scratch, at: slot)
            }
        }
        makeRoom()
        return page
    }

    private func publish(_ scratch: Page, at slot: UInt32) {
        let page = frames.page(slot)
        if page.word < 0 { page.word &= .max }
        guard page.word == 0 else { return }
        let headless = MemoryLayout<Int64>.size
        (page.base + headless).copyMemory(from: scratch.base + headless, byteCount: Page.frameBytes - headless)
        page.slot = slot
        page.word = Page.storedGeneration
        notePopulated(1)
        setStored(slot, true)
    }

    func withScratchFrame<R>(_ body: (Page) throws(PageError) -> R) throws(PageError) -> R {
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: Page.frameBytes, alignment: 16)
        defer { scratch.deallocate() }
        return try body(Page(scratch))
    }

    /// The slow way to a long value.
    func fetchValue(_ number: UInt32) throws(PageError) -> UnsafeRawBufferPointer {
        do { return try bringBack(value: number) } catch { throw store.cause(of: error) }
    }

    private func bringBack(value number: UInt32) throws(PageError) -> UnsafeRawBufferPointer {
        let value = values[number]
        let id: UInt64? = lock.withLock {
            if values.word(number) < 0 { values.setWord(number, values.word(number) & .max) }
            return values.word(number) > 0 ? nil : value.pointee.id
        }
        if let id {
            let bytes = try store.longValue(id)
            guard bytes.count == value.pointee.count, BLAKE2b.hash(bytes) == value.pointee.digest else {
                throw PageError(.damaged, .longValue, id, "its hash is not the one in its leaf")
            }
            lock.withLock {
                if values.word(number) < 0 { values.setWord(number, values.word(number) & .max) }
                guard values.word(number) == 0 else { return }
                bytes.withUnsafeBytes { values.fill(number, $0) }
                noteStored(value: number)
            }
            makeRoom()
        }
        // Whoever asks is counted in, so that it cannot have left since.
        let word = values.word(number) & .max
        return UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: Int(word)), count: value.pointee.count)
    }

    func noteStored(value number: UInt32) {
        values[number].pointee.isStored = true
        storedValues.append(number)
        storedValueBytes += values[number].pointee.count
    }
}
