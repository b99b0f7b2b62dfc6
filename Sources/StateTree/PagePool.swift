import Hashing
import Threading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The memory of a tree: frames for pages, and buffers for long values, freed by generation.
///
/// A page's *slot* is the number of its frame: frames lie in arenas of 512, so that the way from a slot to its page is
/// one look at a small table. One thread at a time writes (the tree's writer); any number read. A *generation* is the
/// span between two freezes of the tree: a page belongs to the generation that made it and is written by no later one.
/// What a later generation replaces is *retired*, and freed once no pinned generation is older than the one that
/// retired it.
///
/// `@unchecked Sendable`, because: (1) `pins` is touched under `lock` only; (2) arenas are never moved or freed while
/// the pool lives, and their table is written before a page in a new one is frozen; (3) readers get at a page only
/// through a frozen generation, handed to them through a lock, and frozen pages are not written but for the hashes and
/// dirty marks, which no reader of an unhashed view touches; (4) everything else belongs to the writer.
final class PagePool: @unchecked Sendable {
    private static let framesPerArena = 512
    private static let arenaBytes = framesPerArena * Page.frameBytes
    private static let arenaCountMax = 1 << 17

    private let arenas: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let values = LongValues()
    private let writer: UnsafeMutablePointer<WriterState>

    private struct WriterState {
        /// The generation now being written.
        var generation: UInt64 = 1
        /// Slots that were ever used; slot 0 stands for "no page".
        var slotCount = 1
        var freeSlots = GrowingBuffer<UInt32>()
        var retired = GrowingBuffer<Retired>()
    }

    private enum Holding { case page, value }
    private struct Retired {
        var generation: UInt64
        var slot: UInt32
        var holding: Holding
    }

    private let lock = Lock()
    private var pins: [UInt64: Int] = [:]

    init() {
        // Zeroed on demand by the system, so that the table costs what is used of it.
        let table = calloc(Self.arenaCountMax, MemoryLayout<UnsafeMutableRawPointer?>.stride)!
        arenas = table.bindMemory(to: UnsafeMutableRawPointer?.self, capacity: Self.arenaCountMax)
        writer = .allocate(capacity: 1)
        writer.initialize(to: WriterState())
    }

    deinit {
        for i in 0..<(writer.pointee.slotCount / Self.framesPerArena + 1) { arenas[i]?.deallocate() }
        free(arenas)
        values.free()
        writer.pointee.freeSlots.free()
        writer.pointee.retired.free()
        writer.deallocate()
    }

    /// Bytes held in frames that were ever used, and in long values.
    var byteCount: Int { writer.pointee.slotCount * Page.frameBytes + values.byteCount }
    var generation: UInt64 { writer.pointee.generation }

    @inline(__always)
    func page(_ slot: UInt32) -> Page {
        let arena = arenas[Int(slot) / Self.framesPerArena].unsafelyUnwrapped
        return Page(arena + Int(slot) % Self.framesPerArena &* Page.frameBytes)
    }

    func longValue(_ record: Record) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: values[record.longValueSlot], count: record.longValueCount)
    }

    func value(of record: Record) -> UnsafeRawBufferPointer {
        record.isLong ? longValue(record) : record.inlineValue
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

    /// Lays an image out as the page of a slot of the current generation. The image may refer to what the page holds.
    func rewrite(_ slot: UInt32, as image: PageImage) {
        let page = page(slot)
        precondition(page.generation == generation)
        withUnsafeTemporaryAllocation(byteCount: Page.frameBytes, alignment: 16) { scratch in
            image.encode(into: Page(scratch.baseAddress!), slot: slot, generation: generation)
            page.base.copyMemory(from: scratch.baseAddress!, byteCount: Page.frameBytes)
        }
    }

    /// Gives up a page: at once if no frozen generation can see it, else when none does any more.
    func discardPage(_ slot: UInt32) {
        if page(slot).generation == generation {
            writer.pointee.freeSlots.append(slot)
        } else {
            retire(slot, .page)
        }
    }

    /// A copy of a long value; returns its number.
    func makeValue(_ bytes: UnsafeRawBufferPointer) -> UInt32 { values.make(bytes) }

    func discardValue(of record: Record) { retire(record.longValueSlot, .value) }

    @inline(__always)
    private func takeSlot() -> UInt32 {
        writer.pointee.freeSlots.isEmpty ? makeSlot() : writer.pointee.freeSlots.removeLast()
    }

    private func makeSlot() -> UInt32 {
        let slot = writer.pointee.slotCount
        let arena = slot / Self.framesPerArena
        precondition(arena < Self.arenaCountMax, "a tree has at most 67 million pages")
        if arenas[arena] == nil {
            let memory = UnsafeMutableRawPointer.allocate(byteCount: Self.arenaBytes, alignment: Self.arenaBytes)
            #if os(Linux)
                // Look-ups touch pages at random: huge pages spare them a TLB miss each. A hint; refusal is harmless.
                // Not for the first: a small tree takes no more than it needs.
                if arena > 0 { _ = madvise(memory, Self.arenaBytes, MADV_HUGEPAGE) }
            #endif
            arenas[arena] = memory
        }
        writer.pointee.slotCount += 1
        return UInt32(slot)
    }
}

// MARK: - Generations

extension PagePool {
    private func retire(_ slot: UInt32, _ holding: Holding) {
        writer.pointee.retired.append(Retired(generation: generation, slot: slot, holding: holding))
    }

    /// Ends the current generation, pins it for a view, and starts the next.
    func freeze() -> UInt64 {
        let frozen = generation
        lock.withLock { pins[frozen, default: 0] += 1 }
        writer.pointee.generation += 1
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
        let retired = writer.pointee.retired
        while !retired.isEmpty, retired[0].generation <= oldest {
            let item = retired.removeFirst()
            switch item.holding {
            case .page: writer.pointee.freeSlots.append(item.slot)
            case .value: values.remove(item.slot)
            }
        }
    }
}
