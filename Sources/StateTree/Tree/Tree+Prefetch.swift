import CMemory

/// A look-up that only asks for memory: taken a page at a time, side by side with others, so that the time to fetch the
/// pages of many keys is that of one.
public struct Probe {
    /// The page that it comes to next is the child at `entry` of this one, or this one itself; `nil` at the end.
    fileprivate var page: Page?
    fileprivate var entry = -1
}

extension Tree {
    /// The start of a look-up.
    public var probe: Probe { Probe(page: rootSlot == 0 ? nil : pool.page(rootSlot)) }

    /// Takes a look-up one page on towards a key, asking for what it will need next; false once it has arrived. Pages
    /// that are not in memory are read.
    public func advance(_ probe: inout Probe, toward key: UnsafeRawBufferPointer) throws(PageError) -> Bool {
        guard let parent = probe.page else { return false }
        let page = probe.entry < 0 ? parent : try pool.child(parent, probe.entry)
        let entry = page.entry(for: key)
        guard page.isChild(entry) else {
            if page.generation == pool.generation { page.prefetchEdit(at: entry) } else { page.prefetchAll() }
            probe.page = nil
            return false
        }
        pool.page(page.child(entry)).prefetchSearch()
        (probe.page, probe.entry) = (page, entry)
        return true
    }
}

extension Page {
    private static let cacheLineBytes = 64

    /// Asks for what a look-up reads of a page: the header, the gaps, and the references.
    func prefetchSearch() {
        for line in 0..<7 { rootfast_prefetch(base + line * Self.cacheLineBytes) }
    }

    /// Asks for the record at an entry.
    func prefetchRecord(at entry: Int) {
        let start = record(entry).base
        for line in 0..<2 { rootfast_prefetch(start + line * Self.cacheLineBytes) }
    }

    /// Asks for the record that a look-up ends at, and for where another would go.
    fileprivate func prefetchEdit(at entry: Int) {
        prefetchRecord(at: entry)
        let free = base + heapStart - 2 * Self.cacheLineBytes
        for line in 0..<2 { rootfast_prefetch(free + line * Self.cacheLineBytes) }
    }

    /// Asks for all that a copy reads of a page.
    fileprivate func prefetchAll() {
        let arraysEnd = Self.headerBytes + Self.entryBytes * room
        for offset in stride(from: 7 * Self.cacheLineBytes, to: arraysEnd, by: Self.cacheLineBytes) {
            rootfast_prefetch(base + offset)
        }
        for offset in stride(from: heapStart, to: Self.frameBytes, by: Self.cacheLineBytes) {
            rootfast_prefetch(base + offset)
        }
    }
}
