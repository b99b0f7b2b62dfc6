import Hashing

/// The pages and long values of a page store that were verified, with the hashes that lead to them.
public struct VerifiedItems {
    fileprivate var pages: [UInt64: Digest] = [:]
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
            if verified.pages[id] == digest { continue }
            try reading { () throws(PageError) in
                let page = pool.page(slot)
                let isThere = page.word > 0
                if !isThere { _ = try paging.fetch(slot, expecting: digest) }
                for entry in (0..<page.count).reversed() {
                    if page.isChild(entry) {
                        waiting.append((page.child(entry), page.entryHashes[entry]))
                    } else if page.record(entry).isLong {
                        try verifyLongValue(of: page.record(entry), paging, &verified)
                    }
                }
            }
            verified.pages[id] = digest
            progress()
        }
    }

    private func verifyLongValue(
        of record: Record, _ paging: Paging, _ verified: inout VerifiedItems
    ) throws(PageError) {
        let (id, digest) = (paging.storeID(ofValue: record.longValueSlot), pool.valueHash(of: record))
        if verified.longValues[id] == digest { return }
        _ = try pool.value(of: record)
        verified.longValues[id] = digest
    }
}
