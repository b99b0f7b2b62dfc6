import Hashing

extension Page {
    /// Takes over what another page holds, but for its word. What whoever hashes may set meanwhile is left out.
    ///
    /// - Parameters:
    ///   - isHashed: whether all its hashes are fresh, whatever its marks say. If not, those that are marked stale may be
    ///     written by another thread meanwhile, and are left out.
    ///   - isBeingHashed: whether the same goes for those that are marked for the generation before.
    func copy(_ original: Page, isHashed: Bool, isBeingHashed: Bool) {
        let start = 2 * MemoryLayout<Int64>.size
        (base + start).copyMemory(from: original.base + start, byteCount: Self.headerBytes - start)
        let count = count
        gaps.update(from: original.gaps, count: count - 1)
        refs.update(from: original.refs, count: count)
        if isHashed {
            entryHashes.update(from: original.entryHashes, count: count)
            gapHashes.update(from: original.gapHashes, count: count - 1)
            (dirtyGaps, dirtyEntries) = (0, 0)
        } else {
            if isBeingHashed { (dirtyGaps, dirtyEntries) = (dirtyGaps | earlierGaps, dirtyEntries | earlierEntries) }
            entryHashes.copy(original.entryHashes, count: count, but: dirtyEntries)
            gapHashes.copy(original.gapHashes, count: count - 1, but: dirtyGaps)
        }
        isTakenEarly = false
        hashedFor = 0
        let heapStart = heapStart
        (base + heapStart).copyMemory(from: original.base + heapStart, byteCount: Self.frameBytes - heapStart)
    }
}

extension UnsafeMutablePointer<Digest> {
    /// Copies the elements whose bit is not set.
    fileprivate func copy(_ source: UnsafeMutablePointer<Digest>, count: Int, but left: UInt64) {
        var rest = ~left & ((1 << UInt64(count)) - 1)
        while rest != 0 {
            let start = rest.trailingZeroBitCount
            let run = (~(rest >> UInt64(start))).trailingZeroBitCount
            (self + start).update(from: source + start, count: run)
            rest &= ~(((1 << UInt64(run)) - 1) << UInt64(start))
        }
    }
}
