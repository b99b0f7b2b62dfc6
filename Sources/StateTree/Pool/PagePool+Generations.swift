import Threading

/// What becomes of pages and long values when no generation that anybody may look at holds them any more.
extension PagePool {
    func retire(_ number: UInt32, _ holding: Holding, born: Int64) {
        if holding == .value { writer.pointee.retiredValueCount += 1 }
        writer.pointee.retired.append(
            Retired(born: born, generation: generation, number: number, holding: holding))
    }

    /// Ends the current generation, pins it for a view, and starts the next.
    func freeze() -> Int64 {
        let frozen = generation
        pin(frozen)
        writer.pointee.newestPinned = frozen
        startNext()
        return frozen
    }

    /// Ends the current generation, which no view shows, and starts the next. Its pages are kept until it is hashed.
    func end() -> Int64 {
        precondition(writer.pointee.unseenEnd <= hashedGeneration, "one end at a time waits to be hashed")
        writer.pointee.unseenEnd = generation
        startNext()
        return writer.pointee.unseenEnd
    }

    private func startNext() {
        writer.pointee.generation += 1
        lock.withLock { newestGeneration = generation }
    }

    func pin(_ generation: Int64) {
        lock.withLock { pins[generation, default: 0] += 1 }
    }

    func unpin(_ generation: Int64) {
        lock.withLock {
            guard let count = pins[generation] else { preconditionFailure("a generation was not pinned") }
            pins[generation] = count > 1 ? count - 1 : nil
        }
    }

    /// The oldest generation that a view shows; the current one if there is no view.
    var oldestPinned: Int64 { lock.withLock { pins.keys.min() ?? newestGeneration } }

    /// The generations whose pages have to stay, in their order: those that views show, and one that is being hashed.
    private func keptGenerations() -> [Int64] {
        var kept = lock.withLock { Array(pins.keys) }
        writer.pointee.newestPinned = kept.max() ?? 0
        if writer.pointee.unseenEnd > hashedGeneration { kept.append(writer.pointee.unseenEnd) }
        return kept.sorted()
    }

    /// Views that live no longer than so many generations are waited for.
    private static let patience: Int64 = 8

    /// Frees what no pinned generation can reach any more, unless that would be a few pages. The writer's.
    func reclaimIfMuch() {
        let isMuch = writer.pointee.retired.count >= Self.muchCount || writer.pointee.retiredValueCount > 0
        if isMuch || !writer.pointee.held.isEmpty || paging?.isOverBudget ?? false { reclaim() }
    }
    private static let muchCount = 64

    /// Frees what no pinned generation can reach any more. The writer's; costs the number of things freed, and of those
    /// that are first found to be kept for a view that lives long.
    func reclaim() {
        settleAccounts()
        let pins = keptGenerations()
        var freed: [Retired] = []
        let retired = writer.pointee.retired
        var keeper: Int64?
        var keptGeneration: Int64 = 0
        while !retired.isEmpty {
            if retired[0].generation != keptGeneration {
                keeper = Self.keeper(of: retired[0], among: pins)
                keptGeneration = retired[0].generation
            }
            if let keeper, keeper + Self.patience > generation { break }
            let item = retired.removeFirst()
            if item.holding == .value { writer.pointee.retiredValueCount -= 1 }
            if let keeper, item.born <= keeper {
                writer.pointee.held[keeper, default: []].append(item)
            } else {
                freed.append(item)
            }
        }
        releaseHeld(pins, into: &freed)
        noteDropped(freed)
        free(Numbers(freed))
    }

    /// Slots of pages and numbers of long values.
    private struct Numbers {
        var pages: [UInt32] = []
        var values: [UInt32] = []

        init(_ items: some Sequence<Retired>) {
            for item in items {
                switch item.holding {
                case .page: pages.append(item.number)
                case .value: values.append(item.number)
                }
            }
        }
    }

    /// The newest pinned generation older than an item's retirement: if any keeps it, that does.
    private static func keeper(of item: Retired, among pins: [Int64]) -> Int64? {
        pins.last { $0 < item.generation }
    }

    /// Looks again at what was held for generations that are pinned no more.
    private func releaseHeld(_ pins: [Int64], into freed: inout [Retired]) {
        guard !writer.pointee.held.isEmpty else { return }
        for generation in writer.pointee.held.keys.sorted() where !pins.contains(generation) {
            for item in writer.pointee.held.removeValue(forKey: generation)! {
                if let keeper = Self.keeper(of: item, among: pins), item.born <= keeper {
                    writer.pointee.held[keeper, default: []].append(item)
                } else {
                    freed.append(item)
                }
            }
        }
    }

    private func free(_ items: Numbers) {
        for number in items.values {
            if let paging { paging.free(value: number) } else { values.drop(number) }
            writer.pointee.freeValues.append(number)
        }
        guard let paging else {
            for slot in items.pages { writer.pointee.freeSlots.append(slot) }
            return
        }
        if !items.pages.isEmpty {
            paging.free(pages: items.pages) { slot, isBlank in
                writer.pointee.freeSlots.append(isBlank ? slot | Self.blankFlag : slot)
            }
        }
        paging.makeAllRoom()
    }

    /// Tells of what is gone. Not before it is freed or a snapshot begins: while a snapshot is under way, what it shows may
    /// still get its number in the store.
    private func noteDropped(_ items: some Sequence<Retired>) {
        guard let paging else { return }
        let untold = Numbers(items.lazy.filter { !$0.isTold })
        if untold.pages.isEmpty, untold.values.isEmpty { return }
        paging.noteDropped(pages: untold.pages, values: untold.values)
    }
}

// MARK: - Snapshots (the writer's)

extension PagePool {
    /// How a pool that goes on from the generation that was just frozen numbers its slots and long values.
    struct Numbering {
        var slotCount: Int
        var valueCount: Int
        var freeSlots: [UInt32]
        var freeValues: [UInt32]
    }

    /// Tells all that was retired so far as dropped: a snapshot that begins does not hold it. Requires that none is under
    /// way. Costs the number of what was retired and is not free yet.
    func noteAllDropped() {
        let retired = writer.pointee.retired
        noteDropped(retired.all)
        for index in 0..<retired.count { retired[index].isTold = true }
        for generation in writer.pointee.held.keys {
            noteDropped(writer.pointee.held[generation]!)
            for index in writer.pointee.held[generation]!.indices {
                writer.pointee.held[generation]![index].isTold = true
            }
        }
    }

    /// Costs the number of what is free.
    var numbering: Numbering {
        var numbering = Numbering(
            slotCount: writer.pointee.slotCount, valueCount: writer.pointee.valueCount,
            freeSlots: writer.pointee.freeSlots.all.map { $0 & ~Self.blankFlag },
            freeValues: writer.pointee.freeValues.all)
        for item in writer.pointee.retired.all + writer.pointee.held.values.joined() {
            switch item.holding {
            case .page: numbering.freeSlots.append(item.number)
            case .value: numbering.freeValues.append(item.number)
            }
        }
        return numbering
    }

    /// Goes on from a stored tree. Requires a new pool.
    func adopt(_ numbering: Numbering) {
        frames.expect(slotCount: numbering.slotCount)
        paging?.adopt(numbering)
        writer.pointee.slotCount = numbering.slotCount
        writer.pointee.valueCount = numbering.valueCount
        for slot in numbering.freeSlots { writer.pointee.freeSlots.append(slot | Self.blankFlag) }
        for number in numbering.freeValues {
            values.makeChunk(of: number)
            writer.pointee.freeValues.append(number)
        }
    }
}
