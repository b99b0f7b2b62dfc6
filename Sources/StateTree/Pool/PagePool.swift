import CMemory
import Hashing
import Threading

/// The memory of a tree: frames for pages, and buffers for long values, freed by generation.
///
/// A page's *slot* is the number of its frame. One thread at a time writes (the tree's writer); any number read. A
/// *generation* is the span between two freezes or ends of the tree: a page belongs to the generation that made it, and a
/// later one writes a copy. What it replaces is *retired*, and freed once no pinned generation is left from its making to
/// its retirement. A page that no view shows and no hash is waited for needs no copy: the generation that writes it takes
/// it over. One that is being hashed may be taken over *early*, to be marked (see `Hasher`). With a page store, what it
/// holds may leave memory and comes back when it is needed (see `Paging`); whoever reads then counts itself in by
/// `beginReading`.
///
/// `@unchecked Sendable`, because: (1) `pins` and `newestGeneration` are touched under `lock` only; (2) arenas are never
/// moved or freed while the pool lives, and their table is written before a page in a new one is frozen; (3) readers get
/// at a page only through a frozen generation, handed to them through a lock, and as long as that is pinned its pages are
/// not written but for the hashes and dirty marks, which no reader of an unhashed view touches, and of the hashes only the
/// stale ones, which the writer does not copy; (4) `paging` takes care of itself; (5) `hashed` and `listed` are
/// words, stored and loaded as such; (6) everything else belongs to the writer.
final class PagePool: @unchecked Sendable {
    let frames: Frames
    let values = LongValues()
    /// `nil` if all pages stay in memory.
    let paging: Paging?
    let isPaged: Bool
    let writer: UnsafeMutablePointer<WriterState>
    private let hashed: UnsafeMutablePointer<Int64>
    private let listed: UnsafeMutablePointer<Int64>

    struct WriterState {
        /// The generation now being written.
        var generation = Page.storedGeneration + 1
        /// The newest generation that a view showed when the writer last looked.
        var newestPinned: Int64 = 0
        /// What was written later is in no snapshot.
        var newestSnapshot = Page.storedGeneration
        /// The last generation that ended without a view: its pages are kept until they are hashed.
        var unseenEnd: Int64 = 0
        /// Slots that were ever used; slot 0 stands for "no page".
        var slotCount = 1
        /// With `blankFlag` those whose frames hold no memory.
        var freeSlots = GrowingBuffer<UInt32>()
        /// Frames that were written for the first time, and that were free before, since `paging` was told.
        var populatedCount = 0
        var reusedCount = 0
        /// The same for long values.
        var valueCount = 0
        var freeValues = GrowingBuffer<UInt32>()
        var retired = GrowingBuffer<Retired>()
        var retiredValueCount = 0
        /// What was retired and is kept for a generation that has been pinned for long, by that generation.
        var held: [Int64: [Retired]] = [:]
    }

    enum Holding { case page, value }
    struct Retired {
        /// The generations that made it and that retired it.
        var born: Int64
        var generation: Int64
        var number: UInt32
        var holding: Holding
        /// Whether `paging` knows that it was dropped.
        var isTold = false
    }

    let lock = Lock()
    /// The generations that views show, and how many do.
    var pins: [Int64: Int] = [:]
    /// The writer's generation, for other threads.
    var newestGeneration = Page.storedGeneration + 1

    /// - Parameter budgetBytes: how much memory to keep within, if there is a store.
    init(_ store: (any PageStore)?, budgetBytes: Int, _ kernel: HashKernel) {
        let frames = Frames(budgetBytes: store == nil ? .max : budgetBytes)
        self.frames = frames
        let values = values
        paging = store.map { Paging($0, budgetBytes: budgetBytes, frames, values, kernel) }
        isPaged = store != nil
        writer = .allocate(capacity: 1)
        writer.initialize(to: WriterState())
        hashed = .allocate(capacity: 1)
        hashed.initialize(to: Page.storedGeneration)
        listed = .allocate(capacity: 1)
        listed.initialize(to: Page.storedGeneration)
    }

    deinit {
        frames.free()
        values.free()
        writer.pointee.freeSlots.free()
        writer.pointee.freeValues.free()
        writer.pointee.retired.free()
        // `held` is a dictionary.
        writer.deinitialize(count: 1)
        writer.deallocate()
        hashed.deallocate()
        listed.deallocate()
    }

    /// Bytes of memory held for pages and long values.
    var byteCount: Int { paging?.residentBytes ?? writer.pointee.slotCount * Page.frameBytes + values.byteCount }
    var generation: Int64 { writer.pointee.generation }
    /// Pages of this generation and older are hashed, whatever their marks say (see `Hasher`).
    var hashedGeneration: Int64 {
        @inline(__always) get { rootfast_load_acquire(hashed) }
        set { rootfast_store_release(hashed, newValue) }
    }
    /// Of pages of this generation and older whoever hashes them reads neither marks nor references to children any more.
    var listedGeneration: Int64 {
        @inline(__always) get { rootfast_load_acquire(listed) }
        set { rootfast_store_release(listed, newValue) }
    }

    /// A page that is in memory: one that this generation made, or that was come by since reading began.
    @inline(__always)
    func page(_ slot: UInt32) -> Page { frames.page(slot) }

    // MARK: - Reading

    /// From here to `endReading` nothing that is come by leaves memory. May be nested; each is ended where it was begun.
    @inline(__always)
    func beginReading() -> UnsafeMutablePointer<Int64>? { paging?.epochs.enter() }

    @inline(__always)
    func endReading(_ counter: UnsafeMutablePointer<Int64>?) {
        if let counter { paging.unsafelyUnwrapped.epochs.leave(counter) }
    }

    /// The child page at an entry; read from the store if it is not in memory.
    @inline(__always)
    func child(_ page: Page, _ entry: Int) throws(PageError) -> Page {
        let child = frames.page(page.child(entry))
        if child.word > 0 { return child }
        return try fetch(page.child(entry), expecting: page.entryHashes[entry])
    }

    @inline(never)
    private func fetch(_ slot: UInt32, expecting digest: Digest) throws(PageError) -> Page {
        guard let paging else { preconditionFailure("a page is missing") }
        return try paging.fetch(slot, expecting: digest)
    }

    @inline(__always)
    func value(of record: Record) throws(PageError) -> UnsafeRawBufferPointer {
        record.isLong ? try longValue(record.longValueSlot) : record.inlineValue
    }

    /// The hash of a record's value, which need not be in memory for that.
    func valueHash(of record: Record) -> Digest {
        record.isLong ? values[record.longValueSlot].pointee.digest : BLAKE2b.hash(record.inlineValue)
    }

    @inline(never)
    private func longValue(_ number: UInt32) throws(PageError) -> UnsafeRawBufferPointer {
        if let bytes = values.bytes(number) { return bytes }
        guard let paging else { preconditionFailure("a long value is missing") }
        return try paging.fetchValue(number)
    }
}

// MARK: - Slots (the writer's)

extension PagePool {
    /// An empty frame; its header is still to be written.
    func makePage() -> (page: Page, slot: UInt32) {
        let slot = takeSlot()
        return (page(slot), slot)
    }

    /// A page of the current generation whose content `rewrite` will give.
    func makeBlankPage() -> UInt32 {
        let (page, slot) = makePage()
        page.word = generation
        page.slot = slot
        page.isTakenEarly = false
        return slot
    }

    /// A page of the current generation with the content of `slot`: that page itself if it is of this generation, or if
    /// nobody looks at it any more; else a copy, and the original is retired. Requires that it is in memory.
    ///
    /// - Parameter isLookedAt: whether whoever hashes the generation before may look at it although it is hashed itself.
    func writable(_ slot: UInt32, isLookedAt: Bool) -> Page {
        let original = page(slot)
        if original.generation == generation {
            guard isBeingHashed(original) else { return original }
        } else if isUnshown(original), isDoneWith(original, isLookedAt) {
            takeOver(original)
            return original
        }
        return copy(original)
    }

    /// The same, for one of which only marks and references to children are to be written. Whoever hashes the generation
    /// before looks at neither once it has listed what is stale, so that from then on it needs no copy.
    func markable(_ slot: UInt32, isLookedAt: Bool) -> Page {
        let original = page(slot)
        if original.generation == generation { return original }
        guard isUnshown(original) else { return copy(original) }
        if isDoneWith(original, isLookedAt) {
            takeOver(original)
        } else if listedGeneration == generation - 1 {
            let isHashed = original.generation <= hashedGeneration
            let earlier = isHashed ? (0, 0) : (original.dirtyGaps, original.dirtyEntries)
            (original.earlierGaps, original.earlierEntries) = earlier
            takeOver(original, early: true)
        } else {
            return copy(original)
        }
        return original
    }

    private func takeOver(_ page: Page, early: Bool = false) {
        if isPaged, page.generation <= writer.pointee.newestSnapshot { paging.unsafelyUnwrapped.takeBack(page.slot) }
        (page.dirtyGaps, page.dirtyEntries) = (0, 0)
        page.isTakenEarly = early
        page.word = generation
    }

    private func copy(_ original: Page) -> Page {
        let (copy, slot) = makePage()
        let isBeingHashed = isBeingHashed(original)
        // All but the word, which `paging` may touch.
        copy.copy(original, isHashed: original.generation <= hashedGeneration, isBeingHashed: isBeingHashed)
        copy.word = generation
        copy.slot = slot
        retire(original.slot, .page, born: birth(of: original))
        return copy
    }

    /// Whether no view shows a page.
    @inline(__always)
    private func isUnshown(_ page: Page) -> Bool { page.generation > writer.pointee.newestPinned }

    /// Whether a page is looked at for no hash any more.
    @inline(__always)
    private func isDoneWith(_ page: Page, _ isLookedAt: Bool) -> Bool {
        page.generation <= hashedGeneration ? !isLookedAt : page.hashedFor == page.generation
    }

    /// Whether no view shows a page, and it waits for no hash.
    @inline(__always)
    func isUnseen(_ page: Page) -> Bool { isUnshown(page) && page.generation <= hashedGeneration }

    /// Whether a page is still looked at to hash the generation before its own.
    @inline(__always)
    private func isBeingHashed(_ page: Page) -> Bool { page.isTakenEarly && hashedGeneration < page.generation - 1 }

    /// The first generation that may look at a page.
    private func birth(of page: Page) -> Int64 { isBeingHashed(page) ? page.generation - 1 : page.generation }

    /// Lays an image out as the page of a slot of the current generation. The image may refer to what the page holds.
    func rewrite(_ slot: UInt32, as image: PageImage) {
        let page = page(slot)
        precondition(page.generation == generation && !isBeingHashed(page))
        withUnsafeTemporaryAllocation(byteCount: Page.frameBytes, alignment: 16) { scratch in
            image.encode(into: Page(scratch.baseAddress!), slot: slot, generation: generation)
            page.base.copyMemory(from: scratch.baseAddress!, byteCount: Page.frameBytes)
        }
    }

    /// Gives up a page: at once if no frozen generation can see it, else when none does any more.
    func discardPage(_ slot: UInt32) {
        let page = page(slot)
        if page.generation == generation, !isBeingHashed(page) {
            writer.pointee.reusedCount -= 1
            writer.pointee.freeSlots.append(slot)
        } else {
            retire(slot, .page, born: birth(of: page))
        }
    }

    /// A copy of the long value of a key; returns its number.
    func makeValue(_ bytes: UnsafeRawBufferPointer, of key: UnsafeRawBufferPointer) -> UInt32 {
        let number = writer.pointee.freeValues.isEmpty ? makeValueNumber() : writer.pointee.freeValues.removeLast()
        // All but the word, which is 0 and which `paging` may be looking at.
        let value = values[number]
        value.pointee.count = bytes.count
        value.pointee.digest = BLAKE2b.hash(bytes)
        value.pointee.id = 0
        value.pointee.leafMark = LongValues.mark(ofLeaf: key)
        value.pointee.isStored = false
        value.pointee.generation = generation
        values.fill(number, bytes)
        return number
    }

    func discardValue(of record: Record) {
        retire(record.longValueSlot, .value, born: values[record.longValueSlot].pointee.generation)
    }

    private func makeValueNumber() -> UInt32 {
        let number = writer.pointee.valueCount
        precondition(number < LongValues.countMax, "a tree has at most 268 million long values")
        if let paging { paging.makeChunk(of: UInt32(number)) } else { values.makeChunk(of: UInt32(number)) }
        writer.pointee.valueCount += 1
        return UInt32(number)
    }

    /// Touches nothing that is counted or changed atomically: the processor would wait there for all that was written to
    /// the page before, most of which is not in its caches.
    @inline(__always)
    private func takeSlot() -> UInt32 {
        let free = writer.pointee.freeSlots
        guard !free.isEmpty else { return makeSlot() }
        let slot = free.removeLast()
        if free.count >= Self.prefetchDistance {
            let next = free[free.count - Self.prefetchDistance]
            if next & Self.blankFlag == 0 { rootfast_prefetch(page(next).base) }
        }
        guard isPaged else { return slot }
        guard slot & Self.blankFlag == 0 else { return takeBlank(slot & ~Self.blankFlag) }
        writer.pointee.reusedCount += 1
        if writer.pointee.populatedCount + writer.pointee.reusedCount > Self.untoldCountMax { settleAccounts() }
        return slot
    }

    /// Marks a free slot. Slots have 26 bits.
    static let blankFlag: UInt32 = 1 << 31

    private func takeBlank(_ slot: UInt32) -> UInt32 {
        if !frames.hasArena(of: slot) { makeArena(of: slot) }
        writer.pointee.populatedCount += 1
        if writer.pointee.populatedCount > Self.untoldCountMax { settleAccounts() }
        return slot
    }

    /// A free frame is asked for so many pages before it is used.
    private static let prefetchDistance = 4
    /// So many frames may be taken before `paging` is told.
    private static let untoldCountMax = 64

    private func makeArena(of slot: UInt32) {
        if let paging { paging.makeArena(of: slot) } else { frames.makeArena(of: slot) }
    }

    /// Tells `paging` which frames were taken.
    func settleAccounts() {
        guard let paging else { return }
        if writer.pointee.populatedCount != 0 { paging.notePopulated(writer.pointee.populatedCount) }
        if writer.pointee.reusedCount != 0 { paging.noteSpare(-writer.pointee.reusedCount) }
        (writer.pointee.populatedCount, writer.pointee.reusedCount) = (0, 0)
    }

    private func makeSlot() -> UInt32 {
        let slot = writer.pointee.slotCount
        precondition(slot < Frames.slotCountMax, "a tree has at most 67 million pages")
        makeArena(of: UInt32(slot))
        frames.noteUse(of: slot)
        writer.pointee.slotCount += 1
        writer.pointee.populatedCount += 1
        if writer.pointee.populatedCount > Self.untoldCountMax { settleAccounts() }
        return UInt32(slot)
    }
}
