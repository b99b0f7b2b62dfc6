import CMemory
import Hashing

/// Asks for memory that is about to be used, so that the processor need not wait for it then.
extension Page {
    private static let cacheLineBytes = 64

    /// Asks for what a look-up reads of a page: the header, the gaps, and the references.
    func prefetchSearch() {
        for line in 0..<7 { rootfast_prefetch(base + line * Self.cacheLineBytes) }
    }

    /// Asks for the record at an entry: one of 120 bytes mostly lies in three lines.
    func prefetchRecord(at entry: Int) {
        let start = record(entry).base
        for line in 0..<3 { rootfast_prefetch(start + line * Self.cacheLineBytes) }
    }

    /// Asks for the record that a look-up ends at, and for where another would go.
    func prefetchEdit(at entry: Int) {
        prefetchRecord(at: entry)
        let free = base + heapStart - 2 * Self.cacheLineBytes
        for line in 0..<2 { rootfast_prefetch(free + line * Self.cacheLineBytes) }
    }

    /// Asks for all that a copy reads of a page.
    func prefetchAll() {
        let hashBytes = count * MemoryLayout<Digest>.stride
        let (entryHashes, gapHashes) = (Self.headerBytes + 8 * room, Self.headerBytes + 40 * room)
        for offset in stride(
            from: max(7 * Self.cacheLineBytes, entryHashes), to: entryHashes + hashBytes, by: Self.cacheLineBytes)
        {
            rootfast_prefetch(base + offset)
        }
        for offset in stride(from: gapHashes, to: gapHashes + hashBytes, by: Self.cacheLineBytes) {
            rootfast_prefetch(base + offset)
        }
        for offset in stride(from: heapStart, to: Self.frameBytes, by: Self.cacheLineBytes) {
            rootfast_prefetch(base + offset)
        }
    }
}
