import Hashing

/// The pages and long values of a page store that were verified, with the hashes that lead to them.
public struct VerifiedItems {
    fileprivate var pages: [UInt64: Digest] = [:]
    fileprivate var lonelyPages: Set<UInt64> = []
    /// The hashes of the leaves that they belong to.
    fileprivate var longValues: [UInt64: Digest] = [:]
    public var pageCount: Int { pages.count }
    public var longValueCount: Int { longValues.count }

    public init() {}
}

extension TreeView {
    /// Reads every page and every long value of a stored tree and verifies it, but for those that were verified before
    /// under the same hash. Requires a view of a tree that was read from a store, and not written since.
    ///
    /// - Parameter progress: called for each page.
    public func verifyStored(_ verified: inout VerifiedItems, _ progress: () -> Void = {}) throws(PageError) {
        guard rootSlot != 0, let paging = pool.paging, let treeDigest else { return }
        var waiting: [(slot: UInt32, digest: Digest)] = [(rootSlot, treeDigest)]
        while let (slot, digest) = waiting.popLast() {
            let id = paging.storeID(ofPage: slot)
            // A page of one entry is sound as a root alone.
            if verified.pages[id] == digest, slot == rootSlot || !verified.lonelyPages.contains(id) { continue }
            try reading { () throws(PageError) in
                let page = pool.page(slot)
                let isThere = page.word > 0
                if !isThere { _ = try paging.fetch(slot, expecting: digest) }
                if page.count == 1 { verified.lonelyPages.insert(id) }
                for entry in (0..<page.count).reversed() {
                    if page.isChild(entry) {
                        waiting.append((page.child(entry), page.entryHashes[entry]))
                    } else if page.record(entry).isLong {
                        try verifyLongValue(of: page.record(entry), page.entryHashes[entry], paging, &verified)
                    }
                }
            }
            verified.pages[id] = digest
            progress()
        }
    }

    private func verifyLongValue(
        of record: Record, _ leaf: Digest, _ paging: Paging, _ verified: inout VerifiedItems
    ) throws(PageError) {
        let id = paging.storeID(ofValue: record.longValueSlot)
        if let known = verified.longValues[id] {
            guard known == leaf else { throw PageError(.damaged, .longValue, id, "it belongs to another leaf already") }
            return
        }
        _ = try pool.value(of: record)
        verified.longValues[id] = leaf
    }
}
