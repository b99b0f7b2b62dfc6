import Hashing
import Threading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The memory of a tree: frames for pages and buffers for long values, named by slots, freed by generation.
///
/// One thread at a time writes (the tree's writer); any number read. A *generation* is the span between two freezes
/// of the tree: a page belongs to the generation that made it and is written by no later one. What a later
/// generation replaces is *retired*, and freed once no pinned generation is older than the one that retired it.
///
/// `@unchecked Sendable`, because: (1) `pins` is touched under `lock` only; (2) the slot table's chunks are never
/// moved or freed while the pool lives, and a slot's word is written by the writer before the page that refers to
/// it is frozen, and not again until no pinned generation can reach it; (3) readers get at a page only through a
/// frozen generation, handed to them through a lock, and frozen pages are not written but for the hashes and dirty
/// marks, which no reader of an unhashed view touches; (4) everything else belongs to the writer.
final class PagePool: @unchecked Sendable {
    private static let slotsPerChunk = 1 << 14
    private static let chunkCountMax = 1 << 14
    private static let arenaBytesMin = 64 << 10
    private static let arenaBytesMax = 2 << 20

    typealias Slot = UnsafeMutableRawPointer?
    private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Slot>?>
    private var slotCount = 1  // slot 0 stands for "no page"
    private var freeSlots: [UInt32] = []

    private var arenas: [UnsafeMutableRawPointer] = []
    private var arenaBytes = arenaBytesMin
    private var freeFrames: [UnsafeMutableRawPointer] = []

    private enum Holding { case page, value }
    private var retired: [(generation: UInt64, slot: UInt32, holding: Holding)] = []
    private var retiredHead = 0
    private var valueSlots: Set<UInt32> = []

    /// The generation now being written.
    private(set) var generation: UInt64 = 1

    private let lock = Lock()
    private var pins: [UInt64: Int] = [:]

    init() {
        chunks = .allocate(capacity: Self.chunkCountMax)
        chunks.initialize(repeating: nil, count: Self.chunkCountMax)
    }

    deinit {
        for slot in valueSlots { self[slot]?.deallocate() }
        for arena in arenas { arena.deallocate() }
        for i in 0..<Self.chunkCountMax { chunks[i]?.deallocate() }
        chunks.deallocate()
    }

    /// Bytes held in frames and long values, free frames included.
    private(set) var byteCount = 0

    @inline(__always)
    func page(_ slot: UInt32) -> Page {
        Page(self[slot].unsafelyUnwrapped)
    }

    func longValue(_ record: Record) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self[record.longValueSlot].unsafelyUnwrapped, count: record.longValueCount)
    }

    func value(of record: Record) -> UnsafeRawBufferPointer {
        record.isLong ? longValue(record) : record.inlineValue
    }

    private subscript(slot: UInt32) -> Slot {
        @inline(__always) get {
            chunks[Int(slot) &>> 14].unsafelyUnwrapped[Int(slot) & (Self.slotsPerChunk &- 1)]
        }
        set { chunks[Int(slot) >> 14].unsafelyUnwrapped[Int(slot) & (Self.slotsPerChunk - 1)] = newValue }
    }
}

// MARK: - Slots and frames (the writer's)

extension PagePool {
    /// An empty frame with a slot of its own; its header is still to be written.
    func makePage() -> (page: Page, slot: UInt32) {
        let slot = takeSlot()
        let frame = takeFrame()
        self[slot] = frame
        return (Page(frame), slot)
    }

    /// A page of the current generation whose content `rewrite` will give.
    func makeBlankPage() -> UInt32 {
        let (page, slot) = makePage()
        page.generation = generation
        page.slot = slot
        return slot
    }

    /// A page of the current generation with the content of `slot`: that page itself if it is of this generation,
    /// else a copy, and the original is retired.
    func writable(_ slot: UInt32) -> Page {
        let original = page(slot)
        if original.generation == generation { return original }
        let (copy, newSlot) = makePage()
        copy.base.copyMemory(from: original.base, byteCount: Page.headerBytes + Page.entryBytes * original.room)
        let heapStart = original.heapStart
        (copy.base + heapStart).copyMemory(from: original.base + heapStart, byteCount: Page.frameBytes - heapStart)
        copy.generation = generation
        copy.slot = newSlot
        retire(slot, .page)
        return copy
    }

    /// Lays an image out in a fresh frame under an existing slot of the current generation; frees the old frame.
    func rewrite(_ slot: UInt32, as image: PageImage) {
        let old = page(slot)
        precondition(old.generation == generation)
        let frame = takeFrame()
        image.encode(into: Page(frame), slot: slot, generation: generation)
        self[slot] = frame
        freeFrames.append(old.base)
    }

    /// Gives up a page: at once if no frozen generation can see it, else when none does any more.
    func discardPage(_ slot: UInt32) {
        let page = page(slot)
        if page.generation == generation {
            freeFrames.append(page.base)
            giveBack(slot)
        } else {
            retire(slot, .page)
        }
    }

    func makeValue(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let slot = takeSlot()
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 8)
        buffer.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        self[slot] = buffer
        valueSlots.insert(slot)
        byteCount += bytes.count
        return slot
    }

    func discardValue(of record: Record) {
        byteCount -= record.longValueCount
        retire(record.longValueSlot, .value)
    }

    private func takeSlot() -> UInt32 {
        if let slot = freeSlots.popLast() { return slot }
        let slot = slotCount
        slotCount += 1
        let chunk = slot >> 14
        precondition(chunk < Self.chunkCountMax, "a tree has at most 268 million pages")
        if chunks[chunk] == nil {
            let slots = UnsafeMutablePointer<Slot>.allocate(capacity: Self.slotsPerChunk)
            slots.initialize(repeating: nil, count: Self.slotsPerChunk)
            chunks[chunk] = slots
        }
        return UInt32(slot)
    }

    private func giveBack(_ slot: UInt32) {
        self[slot] = nil
        freeSlots.append(slot)
    }

    private func takeFrame() -> UnsafeMutableRawPointer {
        if let frame = freeFrames.popLast() { return frame }
        let arena = UnsafeMutableRawPointer.allocate(byteCount: arenaBytes, alignment: arenaBytes)
        #if os(Linux)
            // Look-ups touch pages at random: huge pages spare them a TLB miss each. A hint; refusal is harmless.
            if arenaBytes == Self.arenaBytesMax { _ = madvise(arena, arenaBytes, MADV_HUGEPAGE) }
        #endif
        arenas.append(arena)
        byteCount += arenaBytes
        for offset in stride(from: arenaBytes - Page.frameBytes, through: 0, by: -Page.frameBytes) {
            freeFrames.append(arena + offset)
        }
        arenaBytes = min(arenaBytes * 2, Self.arenaBytesMax)
        return freeFrames.removeLast()
    }
}

// MARK: - Generations

extension PagePool {
    private func retire(_ slot: UInt32, _ holding: Holding) {
        retired.append((generation, slot, holding))
    }

    /// Ends the current generation, pins it for a view, and starts the next.
    func freeze() -> UInt64 {
        let frozen = generation
        lock.withLock { pins[frozen, default: 0] += 1 }
        generation += 1
        return frozen
    }

    func unpin(_ generation: UInt64) {
        lock.withLock {
            if let count = pins[generation], count > 1 {
                pins[generation] = count - 1
            } else {
                pins[generation] = nil
            }
        }
    }

    /// Frees what no pinned generation can reach any more. The writer's; costs the number of things freed.
    func reclaim() {
        let oldest = lock.withLock { pins.keys.min() } ?? generation
        while retiredHead < retired.count, retired[retiredHead].generation <= oldest {
            let (_, slot, holding) = retired[retiredHead]
            retiredHead += 1
            switch holding {
            case .page: freeFrames.append(self[slot]!)
            case .value:
                self[slot]!.deallocate()
                valueSlots.remove(slot)
            }
            giveBack(slot)
        }
        if retiredHead > 4096, retiredHead * 2 > retired.count {
            retired.removeFirst(retiredHead)
            retiredHead = 0
        }
    }
}
