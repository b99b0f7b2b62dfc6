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
    private static let tableBytes = arenaCountMax * MemoryLayout<UnsafeMutableRawPointer?>.stride

    private let arenas: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let state: UnsafeMutablePointer<State>

    private struct State {
        /// Behind the last arena that was made.
        var arenaCount = 0
        /// Arenas of slots below are of huge pages.
        var hugeEnd: Int
        /// The address of an arena made ahead, `isWanted` or 0. Several threads touch it.
        var spare: Int64 = 0
    }
    private static let isWanted: Int64 = 1

    /// - Parameter budgetBytes: how much of it is to be in memory. Beyond that frames are given back one by one, and huge
    ///   pages would be in the way.
    init(budgetBytes: Int) {
        let table = SystemMemory.map(Self.tableBytes)
        arenas = table.bindMemory(to: UnsafeMutableRawPointer?.self, capacity: Self.arenaCountMax)
        state = .allocate(capacity: 1)
        state.initialize(to: State(hugeEnd: budgetBytes / Page.frameBytes))
    }

    func free() {
        for i in 0..<state.pointee.arenaCount {
            if let arena = arenas[i] { SystemMemory.unmap(arena, Self.arenaBytes) }
        }
        if let arena = takeSpare() { SystemMemory.unmap(arena, Self.arenaBytes) }
        SystemMemory.unmap(arenas, Self.tableBytes)
        state.deallocate()
    }

    /// The page of a slot whose arena is there.
    @inline(__always)
    func page(_ slot: UInt32) -> Page {
        let arena = arenas[Int(slot) / Self.perArena].unsafelyUnwrapped
        return Page(arena + Int(slot) % Self.perArena &* Page.frameBytes)
    }

    func hasArena(of slot: UInt32) -> Bool { arenas[Int(slot) / Self.perArena] != nil }

    /// Prepares for the slots of a stored tree, which are going to be filled as they are needed.
    func expect(slotCount: Int) {
        if slotCount > state.pointee.hugeEnd { state.pointee.hugeEnd = 0 }
    }

    /// Whether the arena of a slot is of huge pages, which spare look-ups at random a TLB miss each, and the system a
    /// fault for each page: not the first, as a small tree takes no more than it needs.
    private func isHuge(_ slot: Int) -> Bool { slot >= Self.perArena && slot < state.pointee.hugeEnd }

    /// Makes the arena of a slot, unless it is there.
    func makeArena(of slot: UInt32) {
        let index = Int(slot) / Self.perArena
        guard arenas[index] == nil else { return }
        arenas[index] = isHuge(Int(slot)) ? takeSpare() ?? Self.mapHuge() : Self.map()
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

    /// Asks for an arena to be made ahead once the newest is half used, if it is to be of huge pages and there is none. The
    /// writer's.
    func noteUse(of slot: Int) {
        guard slot % Self.perArena == Self.perArena / 2, isHuge(slot + Self.perArena) else { return }
        _ = rootfast_exchange(&state.pointee.spare, 0, Self.isWanted)
    }

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
        if isTaken { SystemMemory.unmap(arena, Self.arenaBytes) }
    }

    private func takeSpare() -> UnsafeMutableRawPointer? {
        let spare = rootfast_load(&state.pointee.spare)
        guard spare > Self.isWanted, rootfast_exchange(&state.pointee.spare, spare, 0) == 1 else { return nil }
        return UnsafeMutableRawPointer(bitPattern: Int(spare))
    }

    /// Memory for an arena, aligned to its size.
    private static func map() -> UnsafeMutableRawPointer { SystemMemory.map(arenaBytes, alignment: arenaBytes) }

    /// A hint, whose refusal is harmless.
    private static func mapHuge() -> UnsafeMutableRawPointer {
        let memory = map()
        #if os(Linux)
            _ = madvise(memory, arenaBytes, MADV_HUGEPAGE)
        #endif
        return memory
    }
}
