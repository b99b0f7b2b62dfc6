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
            let isDirty = page.dirtyGaps >> UInt64(i) & 1 == 1
            gaps.append(Gap(bit: Int(page.gaps[i].bit), hash: page.gapHashes[i], isDirty: isDirty))
        }
    }

    init() {}

    init(entries: some Sequence<Entry>, gaps: some Sequence<Gap>) {
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
            content: content, hash: page.entryHashes[index], isDirty: page.dirtyEntries >> UInt64(index) & 1 == 1)
    }

    var byteCount: Int {
        entries.reduce(Page.headerBytes) { $0 + Page.entryBytes + $1.heapBytes }
    }

    var fits: Bool { byteCount <= Page.frameBytes && entries.count <= Page.countMax }

    /// Writes this image into an empty frame. Spare bytes are shared between the arrays and the heap in the
    /// proportion in which entries use them.
    func encode(into page: Page, slot: UInt32, generation: Int64) {
        let used = byteCount
        precondition(used <= Page.frameBytes && entries.count <= Page.countMax && !entries.isEmpty)
        let perEntry = (used - Page.headerBytes) / entries.count
        page.word = generation
        page.hashedFor = 0
        page.slot = slot
        page.count = entries.count
        page.room = min(Page.countMax, entries.count + (Page.frameBytes - used) / max(perEntry, 1))
        page.heapStart = Page.frameBytes
        page.garbage = 0
        page.dirtyGaps = 0
        page.dirtyEntries = 0
        page.isTakenEarly = false
        for (i, entry) in entries.enumerated() { encode(entry, at: i, in: page) }
        for (i, gap) in gaps.enumerated() {
            page.gaps[i].bit = UInt16(gap.bit)
            page.gapHashes[i] = gap.hash
            if gap.isDirty { page.dirtyGaps |= 1 << UInt64(i) }
        }
        page.relink()
    }

    private func encode(_ entry: Entry, at index: Int, in page: Page) {
        page.entryHashes[index] = entry.hash
        if entry.isDirty { page.dirtyEntries |= 1 << UInt64(index) }
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
    /// Replaces a child reference by the child's own entries.
    mutating func absorb(_ child: Page, at entry: Int) {
        var inner = PageImage(child)
        // The top gap's hash is kept by this page, as the hash of the entry it replaces. A page with a single entry has
        // none, and the entry's own mark stands: it may be a page that is not in memory.
        if !inner.gaps.isEmpty {
            let top = inner.topGap(in: 0...(inner.entries.count - 1))
            inner.gaps[top].hash = entries[entry].hash
            inner.gaps[top].isDirty = entries[entry].isDirty
        }
        replaceChild(at: entry, by: inner)
    }

    private func topGap(in run: ClosedRange<Int>) -> Int {
        (run.lowerBound..<run.upperBound).min { gaps[$0].bit < gaps[$1].bit }!
    }
}

// MARK: - Splitting

extension PageImage {
    /// Parts as small as this go up as they are, instead of making a page of their own. So little that what is split
    /// always leaves a page behind.
    static let looseBytesMax = Page.frameBytes / 8
    /// A page that is left over is at most this full, so that it has room for what comes next.
    private static let leftoverBytesMax = Page.frameBytes * 3 / 4

    /// Takes an overfull page apart: what is returned takes its place in the parent.
    ///
    /// As in a B-tree the top goes up and the rest becomes pages of their own, so that all paths grow alike. Where the
    /// top node parts the page into two halves, it is all that goes up. Where it parts off little, that part goes up
    /// with it, or becomes a small page, and the rest is split further.
    ///
    /// `hash` and `isDirty` are those of the page itself, as its parent keeps them.
    func split(hash: Digest, isDirty: Bool, _ makePage: (PageImage) -> UInt32) -> PageImage {
        let ends = entries.reduce(into: [0]) { $0.append($0.last! + Page.entryBytes + $1.heapBytes) }
        func bytes(_ run: ClosedRange<Int>) -> Int { ends[run.upperBound + 1] - ends[run.lowerBound] }
        let quarter = ends.last! / 4
        var left = PageImage()
        var right: [PageImage] = []
        var run = 0...(entries.count - 1)
        var top = Gap(bit: 0, hash: hash, isDirty: isDirty)
        var bytesMax = Self.leftoverBytesMax
        repeat {
            let gap = topGap(in: run)
            top.bit = gaps[gap].bit
            let (low, high) = (run.lowerBound...gap, (gap + 1)...run.upperBound)
            let goesOnHigh = bytes(low) < bytes(high)
            let (part, rest) = goesOnHigh ? (low, high) : (high, low)
            let loosened = loosen(part, makePage)
            if goesOnHigh {
                left.append(loosened)
                left.gaps.append(top)
            } else {
                right.append(PageImage(entries: loosened.entries, gaps: [top] + loosened.gaps))
            }
            run = rest
            if run.count > 1 { top = gaps[topGap(in: run)] }
            // Once something substantial went, the rest need only fit.
            bytesMax = bytes(part) >= quarter ? Page.frameBytes - Page.headerBytes : bytesMax
        } while run.count > 2 && bytes(run) > bytesMax
        left.append(loosen(run, makePage))
        for part in right.reversed() { left.append(part) }
        return left
    }

    /// A run of entries as it goes up: as it is, or as a reference to a page of its own.
    private func loosen(_ run: ClosedRange<Int>, _ makePage: (PageImage) -> UInt32) -> PageImage {
        let part = PageImage(entries: entries[run], gaps: gaps[run.lowerBound..<run.upperBound])
        guard run.count > 1, part.byteCount > Page.headerBytes + Self.looseBytesMax else { return part }
        let top = gaps[topGap(in: run)]
        let reference = Entry(content: .child(makePage(part)), hash: top.hash, isDirty: top.isDirty)
        return PageImage(entries: [reference], gaps: [])
    }

    private mutating func append(_ part: PageImage) {
        entries += part.entries
        gaps += part.gaps
    }

    /// Puts what a child was split into in its place.
    mutating func replaceChild(at entry: Int, by parts: PageImage) {
        entries.replaceSubrange(entry...entry, with: parts.entries)
        gaps.insert(contentsOf: parts.gaps, at: entry)
    }
}
