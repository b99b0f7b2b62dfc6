import Hashing

/// A page taken apart, to be laid out afresh: when it has no room left, splits, or takes in a child.
///
/// Records still lie where they were; `encode` copies them, so it must go to another frame.
struct PageImage {
    struct Entry {
        enum Content {
            case record(UnsafeRawBufferPointer)
            case child(UInt32)
            /// A leaf not laid out anywhere yet.
            case new(key: UnsafeRawBufferPointer, Payload)
        }
        var content: Content
        var hash: Digest
        var isDirty: Bool

        var heapBytes: Int {
            switch content {
            case .record(let bytes): bytes.count
            case .child: 0
            case .new(let key, let payload): Page.recordHeaderBytes + key.count + payload.byteCount
            }
        }
    }

    struct Gap {
        var bit: Int
        var hash: Digest
        var isDirty: Bool
    }

    var entries: [Entry] = []
    var gaps: [Gap] = []

    init(_ page: Page) {
        entries.reserveCapacity(page.count + 1)
        gaps.reserveCapacity(page.count)
        for i in 0..<page.count { entries.append(Self.entry(i, of: page)) }
        for i in 0..<(page.count - 1) {
            let isDirty = page.dirtyGaps >> UInt128(i) & 1 == 1
            gaps.append(Gap(bit: Int(page.gaps[i].bit), hash: page.gapHashes[i], isDirty: isDirty))
        }
    }

    init(entries: ArraySlice<Entry>, gaps: ArraySlice<Gap>) {
        self.entries = Array(entries)
        self.gaps = Array(gaps)
    }

    static func entry(_ index: Int, of page: Page) -> Entry {
        let content: Entry.Content
        if page.isChild(index) {
            content = .child(page.child(index))
        } else {
            let record = page.record(index)
            content = .record(UnsafeRawBufferPointer(start: record.base, count: record.byteCount))
        }
        return Entry(
            content: content, hash: page.entryHashes[index], isDirty: page.dirtyEntries >> UInt128(index) & 1 == 1)
    }

    var byteCount: Int {
        entries.reduce(Page.headerBytes) { $0 + Page.entryBytes + $1.heapBytes }
    }

    var fits: Bool { byteCount <= Page.frameBytes && entries.count <= Page.countMax }

    /// Writes this image into an empty frame. Spare bytes are shared between the arrays and the heap in the
    /// proportion in which entries use them.
    func encode(into page: Page, slot: UInt32, generation: UInt64) {
        let used = byteCount
        precondition(used <= Page.frameBytes && entries.count <= Page.countMax && !entries.isEmpty)
        let perEntry = (used - Page.headerBytes) / entries.count
        page.generation = generation
        page.slot = slot
        page.count = entries.count
        page.room = min(Page.countMax, entries.count + (Page.frameBytes - used) / max(perEntry, 1))
        page.heapStart = Page.frameBytes
        page.garbage = 0
        page.dirtyGaps = 0
        page.dirtyEntries = 0
        for (i, entry) in entries.enumerated() { encode(entry, at: i, in: page) }
        for (i, gap) in gaps.enumerated() {
            page.gaps[i].bit = UInt16(gap.bit)
            page.gapHashes[i] = gap.hash
            if gap.isDirty { page.dirtyGaps |= 1 << UInt128(i) }
        }
        page.relink()
    }

    private func encode(_ entry: Entry, at index: Int, in page: Page) {
        page.entryHashes[index] = entry.hash
        if entry.isDirty { page.dirtyEntries |= 1 << UInt128(index) }
        page.heapStart -= entry.heapBytes
        let target = page.base + page.heapStart
        page.refs[index] = UInt32(page.heapStart)
        switch entry.content {
        case .record(let bytes):
            target.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        case .child(let slot):
            page.refs[index] = slot | Page.childFlag
        case .new(let key, let payload):
            Payload.write(key: key, to: target)
            payload.write(after: key.count, in: target)
        }
    }
}

extension PageImage {
    /// Replaces a child reference by the child's own entries: the reverse of `carve`.
    mutating func absorb(_ child: Page, at entry: Int) {
        var inner = PageImage(child)
        if !inner.gaps.isEmpty {
            // The top gap's hash is kept by this page, as the hash of the entry it replaces.
            let top = inner.topGap(in: 0...(inner.entries.count - 1))
            inner.gaps[top].hash = entries[entry].hash
            inner.gaps[top].isDirty = entries[entry].isDirty
        } else {
            inner.entries[0].isDirty = inner.entries[0].isDirty || entries[entry].isDirty
        }
        entries.replaceSubrange(entry...entry, with: inner.entries)
        gaps.insert(contentsOf: inner.gaps, at: entry)
    }

    /// Takes the subtree over a run of entries out into an image of its own; `slot` takes its place.
    mutating func carve(_ run: ClosedRange<Int>, into slot: UInt32) -> PageImage {
        let innerGaps = run.lowerBound..<run.upperBound
        let top = gaps[topGap(in: run)]
        let child = PageImage(entries: entries[run], gaps: gaps[innerGaps])
        entries.replaceSubrange(run, with: [Entry(content: .child(slot), hash: top.hash, isDirty: top.isDirty)])
        gaps.removeSubrange(innerGaps)
        return child
    }

    private func topGap(in run: ClosedRange<Int>) -> Int {
        (run.lowerBound..<run.upperBound).min { gaps[$0].bit < gaps[$1].bit }!
    }

    /// The subtree to carve out of an overfull page: the largest of at most four fifths of the bytes, or, where a
    /// page is so lopsided that there is none, the smallest. Sequential inserts so leave well-filled pages behind,
    /// random ones halve theirs.
    func runToCarve() -> ClosedRange<Int> {
        let ends = entries.reduce(into: [0]) { $0.append($0.last! + Page.entryBytes + $1.heapBytes) }
        let share = min(ends.last! * 4 / 5, Page.frameBytes - Page.headerBytes)
        var best: (run: ClosedRange<Int>, bytes: Int)?
        for run in properSubtrees() {
            let bytes = ends[run.upperBound + 1] - ends[run.lowerBound]
            let isBetter =
                switch best {
                case nil: true
                case let (_, old)? where old > share: bytes < old
                case let (_, old)?: bytes <= share && bytes > old
                }
            if isBetter { best = (run, bytes) }
        }
        guard let best else { preconditionFailure("a page of \(entries.count) entries cannot overflow") }
        return best.run
    }

    /// The runs of entries below each gap but the top one, in no particular order.
    private func properSubtrees() -> [ClosedRange<Int>] {
        var runs: [ClosedRange<Int>] = []
        var open: [(first: Int, bit: Int)] = []
        for i in 0..<entries.count {
            let bit = i < gaps.count ? gaps[i].bit : -1
            var first = i
            while let top = open.last, top.bit > bit {
                open.removeLast()
                first = top.first
                if first > 0 || i < entries.count - 1 { runs.append(first...i) }
            }
            open.append((first, bit))
        }
        return runs
    }
}
