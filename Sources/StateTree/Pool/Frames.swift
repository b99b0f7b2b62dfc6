import CMemory

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Memory for pages, by slot: arenas of 512 frames, so that the way from a slot to its page is one look at a small
/// table. A frame that was never written, or was given back, reads as zeros.
///
/// One thread at a time makes arenas and gives frames back; any number read. An arena's memory takes the system
/// milliseconds to fill in: another thread may have that done ahead (`makeSpare`).
struct Frames {
    static let perArena = 512
    static let arenaCountMax = 1 << 17
    /// How many slots there can be.
    static let slotCountMax = perArena * arenaCountMax
    private static let arenaBytes = perArena * Page.frameBytes

    private let arenas: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let state: UnsafeMutablePointer<State>

    private struct State {
        /// Behind the last arena that was made.
        var arenaCount = 0
        /// The address of an arena made ahead, `isWanted` or 0. Several threads touch it.
        var spare: Int64 = 0
    }
    private static let isWanted: Int64 = 1

    init() {
        // Zeroed on demand by the system, so that the table costs what is used of it.
        let table = calloc(Self.arenaCountMax, MemoryLayout<UnsafeMutableRawPointer?>.stride)!
        arenas = table.bindMemory(to: UnsafeMutableRawPointer?.self, capacity: Self.arenaCountMax)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    func free() {
        for i in 0..<state.pointee.arenaCount {
            if let arena = arenas[i] { munmap(arena, Self.arenaBytes) }
        }
        if let arena = takeSpare() { munmap(arena, Self.arenaBytes) }
        Self.release(arenas)
        state.deallocate()
    }

    private static func release(_ table: UnsafeMutablePointer<UnsafeMutableRawPointer?>) {
        #if canImport(Glibc)
            Glibc.free(table)
        #elseif canImport(Musl)
            Musl.free(table)
        #else
            Darwin.free(table)
        #endif
    }

    var arenaCount: Int { state.pointee.arenaCount }

    /// The page of a slot whose arena is there.
    @inline(__always)
    func page(_ slot: UInt32) -> Page {
        let arena = arenas[Int(slot) / Self.perArena].unsafelyUnwrapped
        return Page(arena + Int(slot) % Self.perArena &* Page.frameBytes)
    }

    func hasArena(of slot: UInt32) -> Bool { arenas[Int(slot) / Self.perArena] != nil }

    /// Makes the arena of a slot, unless it is there. `isHuge` asks for memory in huge pages, which spare look-ups at
    /// random a TLB miss each and are taken whole; a hint, whose refusal is harmless.
    func makeArena(of slot: UInt32, isHuge: Bool) {
        let index = Int(slot) / Self.perArena
        guard arenas[index] == nil else { return }
        arenas[index] = isHuge ? takeSpare() ?? Self.mapHuge() : Self.map()
        state.pointee.arenaCount = max(state.pointee.arenaCount, index + 1)
    }

    /// Keeps the system from making huge pages of an arena from which frames are given back.
    func keepSmall(arena index: Int) {
        #if os(Linux)
            if let arena = arenas[index] { _ = madvise(arena, Self.arenaBytes, MADV_NOHUGEPAGE) }
        #endif
    }

    /// Gives the memory of some frames back, all in one arena.
    func giveBack(_ slots: ClosedRange<UInt32>) {
        let start = page(slots.lowerBound).base
        #if canImport(Darwin)
            start.initializeMemory(as: UInt8.self, repeating: 0, count: slots.count * Page.frameBytes)
        #else
            // Only thus are frames sure to read as zeros.
            let result = madvise(start, slots.count * Page.frameBytes, MADV_DONTNEED)
            precondition(result == 0, "memory was not given back")
        #endif
    }

    // MARK: - An arena ahead

    /// Asks for an arena of huge pages to be made ahead, unless there is one. The writer's.
    func wantSpare() { _ = rootfast_exchange(&state.pointee.spare, 0, Self.isWanted) }

    /// Whether `makeSpare` has something to do.
    var isSpareDue: Bool { rootfast_load(&state.pointee.spare) == Self.isWanted }

    /// Makes the arena that was asked for, if any, and has the system fill it in. May run beside everything else.
    func makeSpare() {
        guard isSpareDue else { return }
        let arena = Self.mapHuge()
        for offset in stride(from: 0, to: Self.arenaBytes, by: Page.frameBytes) {
            arena.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
        }
        let isTaken = rootfast_exchange(&state.pointee.spare, Self.isWanted, Int64(Int(bitPattern: arena))) == 0
        if isTaken { munmap(arena, Self.arenaBytes) }
    }

    private func takeSpare() -> UnsafeMutableRawPointer? {
        let spare = rootfast_load(&state.pointee.spare)
        guard spare > Self.isWanted, rootfast_exchange(&state.pointee.spare, spare, 0) == 1 else { return nil }
        return UnsafeMutableRawPointer(bitPattern: Int(spare))
    }

    // MARK: - Memory from the system

    private static func mapHuge() -> UnsafeMutableRawPointer {
        let memory = map()
        #if os(Linux)
            _ = madvise(memory, arenaBytes, MADV_HUGEPAGE)
        #endif
        return memory
    }

    /// Zeroed memory for an arena, aligned to its size.
    private static func map() -> UnsafeMutableRawPointer {
        #if canImport(Darwin)
            let flags = MAP_PRIVATE | MAP_ANON
        #else
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        #endif
        let mapped = mmap(nil, 2 * arenaBytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { preconditionFailure("out of memory") }
        let start = UnsafeMutableRawPointer(
            bitPattern: (UInt(bitPattern: mapped) + UInt(arenaBytes) - 1) / UInt(arenaBytes) * UInt(arenaBytes))!
        let (before, after) = (start - mapped, arenaBytes - (start - mapped))
        if before > 0 { munmap(mapped, before) }
        if after > 0 { munmap(start + arenaBytes, after) }
        return start
    }
}
