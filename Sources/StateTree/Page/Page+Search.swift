extension Page {
    @inline(__always)
    static func isEntry(_ link: UInt8) -> Bool { link & entryLinkFlag != 0 }
    @inline(__always)
    static func entryLink(_ entry: Int) -> UInt8 { UInt8(truncatingIfNeeded: entry) | entryLinkFlag }

    /// The entry that the key's bits lead to.
    @inline(__always)
    func entry(for key: UnsafeRawBufferPointer) -> Int {
        let gaps = self.gaps
        var link = rootLink
        while !Self.isEntry(link) {
            let gap = gaps[Int(link)]
            link = KeyBits.bit(Int(gap.bit), of: key) == 0 ? gap.left : gap.right
        }
        return Int(link & ~Self.entryLinkFlag)
    }

    /// The same, with the gaps passed on the way there.
    @inline(__always)
    func way(of key: UnsafeRawBufferPointer) -> (entry: Int, gaps: UInt64) {
        let gaps = self.gaps
        var passed: UInt64 = 0
        var link = rootLink
        while !Self.isEntry(link) {
            let gap = gaps[Int(link)]
            passed |= 1 &<< UInt64(link)
            link = KeyBits.bit(Int(gap.bit), of: key) == 0 ? gap.left : gap.right
        }
        return (Int(link & ~Self.entryLinkFlag), passed)
    }

    /// Marks stale every hash on the key's way that branches before bit `bound`.
    func markPath(for key: UnsafeRawBufferPointer, before bound: Int) {
        let gaps = self.gaps
        var marks = dirtyGaps
        var link = rootLink
        while !Self.isEntry(link) {
            let gap = gaps[Int(link)]
            guard Int(gap.bit) < bound else {
                dirtyGaps = marks
                return
            }
            marks |= 1 << UInt64(link)
            link = KeyBits.bit(Int(gap.bit), of: key) == 0 ? gap.left : gap.right
        }
        dirtyGaps = marks
    }

    /// Marks the page's top gap stale if a gap with `bit` is to go above it: its hash is kept by the parent page and
    /// not here, so it must be made again once it is a gap among others.
    func markTop(ifBelow bit: Int) {
        guard !Self.isEntry(rootLink), bit < Int(gaps[Int(rootLink)].bit) else { return }
        dirtyGaps |= 1 << UInt64(rootLink)
    }

    /// The topmost node on the key's path whose bit is greater than `bit`, as the run of entries below it.
    ///
    /// That is where a key first differing at `bit` from those below belongs: beside this run, and nowhere else.
    func run(above bit: Int, for key: UnsafeRawBufferPointer) -> ClosedRange<Int> {
        let gaps = self.gaps
        var link = rootLink
        while !Self.isEntry(link), Int(gaps[Int(link)].bit) < bit {
            let gap = gaps[Int(link)]
            link = KeyBits.bit(Int(gap.bit), of: key) == 0 ? gap.left : gap.right
        }
        return run(below: link)
    }

    /// The entries below a node.
    func run(below link: UInt8) -> ClosedRange<Int> {
        var first = link
        while !Self.isEntry(first) { first = gaps[Int(first)].left }
        var last = link
        while !Self.isEntry(last) { last = gaps[Int(last)].right }
        return Int(first & ~Self.entryLinkFlag)...Int(last & ~Self.entryLinkFlag)
    }

    /// The bit of the last gap on the key's path through this page, or -1 if the page has no gap.
    func exitBit(for key: UnsafeRawBufferPointer) -> Int {
        var last = -1
        var link = rootLink
        while !Self.isEntry(link) {
            let gap = gaps[Int(link)]
            last = Int(gap.bit)
            link = KeyBits.bit(last, of: key) == 0 ? gap.left : gap.right
        }
        return last
    }
}
