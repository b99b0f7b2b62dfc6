import Hashing

/// What a snapshot of a tree adds to the store: the pages and long values that are not there yet.
///
/// Made by the tree's writer from the newest view, in time that does not depend on the tree's size; all else may be done
/// on another thread, while the writer goes on. One at a time for each tree, ended by `noteStored` or `giveUp`.
///
/// `@unchecked Sendable`, because it is used by one thread at a time.
public final class UnstoredPages: @unchecked Sendable {
    private let view: TreeView
    private let paging: Paging
    private let numbering: PagePool.Numbering
    private var slots: [UInt32] = []
    /// The checksums of the stored forms that were given out.
    private var crcs: [UInt32] = []
    private var values: [UInt32] = []
    private let last: (page: UInt64, longValue: UInt64)
    /// What the tree does not hold any more that the last snapshot did.
    public let dropped: [StoredItem]

    init(_ view: TreeView, after last: (page: UInt64, longValue: UInt64)) {
        precondition(view.isHashed)
        guard let paging = view.pool.paging else { preconditionFailure("a snapshot needs a store") }
        self.view = view
        self.paging = paging
        self.last = last
        numbering = view.pool.numbering
        view.pool.writer.pointee.newestSnapshot = view.pool.generation - 1
        view.pool.noteAllDropped()
        dropped = paging.takeDropped()
    }

    /// Finds the pages and gives them their numbers in the store. Costs as much as there are.
    ///
    /// - Parameter goesOn: asked now and then; `giveUp` is still to be called if it answers false.
    public func collect(while goesOn: () -> Bool = { true }) -> Bool {
        guard view.rootSlot != 0, paging.storeID(ofPage: view.rootSlot) == 0 else { return true }
        var waiting = [(slot: view.rootSlot, digest: view.treeDigest!)]
        while let (slot, digest) = waiting.popLast() {
            slots.append(slot)
            paging.setStoreID(last.page + UInt64(slots.count), ofPage: slot, digest)
            let page = view.pool.page(slot)
            // The first entry's child comes first: pages lie in the order of their keys.
            for entry in (0..<page.count).reversed() where page.isChild(entry) {
                guard paging.storeID(ofPage: page.child(entry)) == 0 else { continue }
                waiting.append((page.child(entry), page.entryHashes[entry]))
            }
            for entry in 0..<page.count where !page.isChild(entry) && page.record(entry).isLong {
                let number = page.record(entry).longValueSlot
                guard paging.storeID(ofValue: number) == 0 else { continue }
                values.append(number)
                paging.setStoreID(last.longValue + UInt64(values.count), ofValue: number)
            }
            if slots.count % 256 == 0, !goesOn() { return false }
        }
        return true
    }

    public var pageCount: Int { slots.count }
    public var longValueCount: Int { values.count }

    /// The number of a page in the store, and its stored form.
    public func page(_ index: Int) -> (id: UInt64, bytes: [UInt8]) {
        let bytes = StoredPage.encode(view.pool.page(slots[index]), view.pool.values) { paging.storeID(ofPage: $0) }
        if crcs.count < slots.count { crcs = Array(repeating: 0, count: slots.count) }
        crcs[index] = StoredPage.crc(of: bytes)
        return (last.page + UInt64(index) + 1, bytes)
    }

    /// The number of a long value in the store, and its bytes.
    public func longValue(_ index: Int) -> (id: UInt64, bytes: UnsafeRawBufferPointer) {
        guard let bytes = view.pool.values.bytes(values[index]) else { preconditionFailure("it cannot have left") }
        return (last.longValue + UInt64(index) + 1, bytes)
    }

    /// What a tree can go on from once all of it is in the store.
    public var stored: StoredTree {
        StoredTree(
            count: view.count, digest: view.treeDigest!,
            rootPage: view.rootSlot == 0 ? 0 : paging.storeID(ofPage: view.rootSlot), rootSlot: view.rootSlot,
            slotCount: numbering.slotCount, valueCount: numbering.valueCount, freeSlots: numbering.freeSlots,
            freeValues: numbering.freeValues, lastPage: last.page + UInt64(slots.count),
            lastLongValue: last.longValue + UInt64(values.count))
    }

    /// Checks that what was read back is what `page` gave.
    public func verifyPage(_ index: Int, _ bytes: [UInt8]) throws(PageError) {
        guard StoredPage.isWhole(bytes), StoredPage.crc(of: bytes) == crcs[index] else {
            throw PageError(
                .damaged, .page, last.page + UInt64(index) + 1, "what was read back is not what was written")
        }
    }

    /// Reads a long value back and verifies it against the tree.
    public func verifyLongValue(_ index: Int, _ bytes: [UInt8]) throws(PageError) {
        let id = last.longValue + UInt64(index) + 1
        guard BLAKE2b.hash(bytes) == view.pool.values[values[index]].pointee.digest else {
            throw PageError(.damaged, .longValue, id, "what was read back is not what was written")
        }
    }

    /// They are durable in the store: from now on they may leave memory.
    public func noteStored() { paging.noteStored(pages: slots, values: values, root: view.rootSlot) }

    /// They are not in the store.
    public func giveUp() {
        for slot in slots { paging.setStoreID(0, ofPage: slot) }
        for number in values { paging.setStoreID(0, ofValue: number) }
        paging.putBackDropped(dropped)
    }
}

extension Tree {
    /// What a snapshot of the newest view, which must be hashed, has to add to the store.
    ///
    /// - Parameter last: the last numbers that the store has given to a page and to a long value.
    public func unstoredPages(of view: TreeView, after last: (page: UInt64, longValue: UInt64)) -> UnstoredPages {
        precondition(view.pool === pool)
        return UnstoredPages(view, after: last)
    }

    /// Bytes that cannot leave memory before the next snapshot.
    public var unstoredBytes: Int { pool.paging?.unstoredBytes ?? 0 }
}
