import CMemory
import Hashing
import Threading

/// What the writer and its snapshots tell.
extension Paging {
    /// Readers make arenas and chunks too, for what comes back: so the writer makes its own under the same lock.
    func makeArena(of slot: UInt32) { lock.withLock { frames.makeArena(of: slot) } }
    func makeChunk(of number: UInt32) { lock.withLock { values.makeChunk(of: number) } }

    /// Gives up pages that no generation can see any more. Their frames are kept for new pages, unless memory is beyond
    /// the budget and there are many. Tells of each, in their order, whether its frame holds no memory.
    func free(pages slots: [UInt32], _ tell: (_ slot: UInt32, _ isBlank: Bool) -> Void) {
        lock.withLock {
            let areFilled = slots.map { slot in forget(slot) == 0 || warm(slot) }
            let filled = zip(slots, areFilled).filter { $0.1 }.map { $0.0 }
            let spareBytes = Int(rootfast_load(spare)) * Page.frameBytes
            let givesBack = isOverBudget && spareBytes > budgetBytes / 16
            if givesBack { giveBack(filled) } else { noteSpare(filled.count) }
            for (slot, isFilled) in zip(slots, areFilled) { tell(slot, givesBack || !isFilled) }
        }
    }

    /// Keeps a page from leaving that was cooled; answers whether it is in memory.
    private func warm(_ slot: UInt32) -> Bool {
        let page = frames.page(slot)
        if page.word < 0 { page.word &= .max }
        return page.word != 0
    }

    /// Takes a page that no view shows out of what is stored, as it is about to be written: the store has what it was, which
    /// no longer belongs to the tree. Requires that it is in memory, where it stays.
    func takeBack(_ slot: UInt32) {
        lock.withLock {
            let id = forget(slot)
            if id != 0 { dropped.append(.page(id)) }
            _ = warm(slot)
        }
    }

    /// Forgets that the store has a page; returns the number it had there, or 0.
    private func forget(_ slot: UInt32) -> UInt64 {
        setKept(slot, false)
        let id = id(of: slot)
        guard id != 0 else { return 0 }
        setStored(slot, false)
        side(of: slot)!.ids[Int(slot) % Frames.perArena] = 0
        return id
    }

    func free(value number: UInt32) {
        lock.withLock {
            let value = values[number]
            if value.pointee.id != 0, values.word(number) != 0 { storedValueBytes -= value.pointee.count }
            values.drop(number)
            value.pointee.id = 0
            value.pointee.isStored = false
        }
    }

    /// Notes that the tree no longer holds these, so far as the store has them.
    func noteDropped(pages slots: [UInt32], values numbers: [UInt32]) {
        lock.withLock {
            for slot in slots {
                let id = id(of: slot)
                if id != 0 { dropped.append(.page(id)) }
            }
            for number in numbers where values[number].pointee.id != 0 {
                dropped.append(.longValue(values[number].pointee.id))
            }
        }
    }

    /// Takes over what was dropped since the last snapshot.
    func takeDropped() -> [StoredItem] {
        lock.withLock {
            defer { dropped = [] }
            return dropped
        }
    }

    /// Takes it back, as the snapshot was not made.
    func putBackDropped(_ items: [StoredItem]) { lock.withLock { dropped = items + dropped } }

    /// Keeps a page in memory from now on, whatever snapshot comes to hold it, until it is freed. Requires that it is there.
    func keep(_ slot: UInt32) {
        lock.withLock {
            let page = frames.page(slot)
            if page.word < 0 { page.word &= .max }
            setStored(slot, false)
            setKept(slot, true)
        }
    }
}

// MARK: - A snapshot

extension Paging {
    /// The number of a page in the store, 0 if it has none.
    func storeID(ofPage slot: UInt32) -> UInt64 { lock.withLock { id(of: slot) } }
    func storeID(ofValue number: UInt32) -> UInt64 { lock.withLock { values[number].pointee.id } }

    /// Gives a page a number in the store, under which its hash will be this; 0 takes it back.
    func setStoreID(_ id: UInt64, ofPage slot: UInt32, _ digest: Digest = .zero) {
        lock.withLock {
            let (side, index) = (makeSide(of: slot), Int(slot) % Frames.perArena)
            (side.ids[index], side.digests[index]) = (id, digest)
        }
    }
    func setStoreID(_ id: UInt64, ofValue number: UInt32) { lock.withLock { values[number].pointee.id = id } }

    /// From now on these may leave memory, but for the page at `root`.
    func noteStored(pages: [UInt32], values numbers: [UInt32], root: UInt32) {
        lock.withLock {
            for slot in pages where slot != root { setStored(slot, true) }
            for number in numbers { noteStored(value: number) }
        }
        makeAllRoom()
    }
}
