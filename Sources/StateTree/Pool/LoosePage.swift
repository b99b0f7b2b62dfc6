package import Hashing

/// A stored page by itself, laid out in memory and stored again: for specs. In a tree only who knows its hash reads it.
package struct LoosePage {
    /// What is stored of it.
    package let bytes: [UInt8]

    /// - Throws: `damaged` if no page is stored so, whatever its hash.
    package init(_ stored: [UInt8], kernel: HashKernel) throws(PageError) {
        let page = try StoredPage(stored, id: 1)
        let pool = PagePool(NoPages(), budgetBytes: .max, kernel)
        guard let paging = pool.paging else { preconditionFailure("it has a store") }
        try paging.noteReferences(of: page)
        bytes = try paging.withScratchFrame { frame throws(PageError) in
            try page.layOut(in: frame)
            return StoredPage.encode(frame, pool.values) { paging.storeID(ofPage: $0) }
        }
    }
}

private final class NoPages: PageStore {
    func page(_ id: UInt64) throws(PageError) -> [UInt8] { throw PageError(.damaged, .page, id, "there is none") }
    func longValue(_ id: UInt64) throws(PageError) -> [UInt8] {
        throw PageError(.damaged, .longValue, id, "there is none")
    }
}
