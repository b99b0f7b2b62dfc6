import CMemory
import Threading

/// How what is stored leaves: cooled, and let go of once no reader can be at it.
extension Paging {
    private static let batchCount = 32
    private static let slackBytes = 64 * Page.frameBytes

    /// Takes a step towards the budget if memory is beyond it. Waits for nobody.
    func makeRoom() {
        guard residentBytes - Self.slackBytes > budgetBytes else { return }
        lock.withLock { step() }
    }

    /// Takes steps until memory is within the budget, or nothing more can leave now.
    func makeAllRoom() {
        var idleCount = 0
        while isOverBudget, idleCount < 4 {
            let before = residentBytes
            lock.withLock { step() }
            idleCount = residentBytes < before ? 0 : idleCount + 1
        }
    }

    private func step() {
        if coolingBytes < budgetBytes / 8 {
            coolPages(Self.batchCount)
            if storedValueBytes > budgetBytes / 16 { coolValues(Self.batchCount) }
        }
        epochs.advance()
        dropCooled()
    }

    /// Cools stored pages, the next in the order of their slots.
    private func coolPages(_ count: Int) {
        var left = count
        var searched = 0
        while left > 0, searched <= min(sides.count, 256) {
            if hand >= sides.count * Frames.perArena { hand = 0 }
            guard !sides.isEmpty, let side = sides[hand / Frames.perArena] else {
                hand = (hand / Frames.perArena + 1) * Frames.perArena
                searched += 1
                if sides.isEmpty { return }
                continue
            }
            let rest = side.isStored[hand % Frames.perArena / 64] &>> UInt64(hand % 64)
            guard rest != 0 else {
                hand = (hand / 64 + 1) * 64
                if hand % Frames.perArena == 0 { searched += 1 }
                continue
            }
            hand += rest.trailingZeroBitCount
            coolPage(UInt32(hand), side)
            left -= 1
            hand += 1
        }
    }

    private func coolPage(_ slot: UInt32, _ side: Side) {
        let page = frames.page(slot)
        let word = page.word
        guard word > 0, page.exchangeWord(word, word | .min) else { return }
        side.coolingStamps[Int(slot) % Frames.perArena] = epochs.epoch
        add(.init(holding: .page, number: slot, stamp: epochs.epoch, byteCount: Page.frameBytes))
    }

    private func coolValues(_ count: Int) {
        for _ in 0..<min(count, storedValues.count) {
            let number = storedValues.removeFirst()
            let value = values[number]
            let word = values.word(number)
            // Its number may be that of another value since, which a snapshot is about to store.
            guard word > 0, value.pointee.isStored else { continue }
            value.pointee.coolingStamp = epochs.epoch
            guard values.exchangeWord(number, word, word | .min) else { continue }
            add(.init(holding: .value, number: number, stamp: epochs.epoch, byteCount: value.pointee.count))
        }
    }

    private func add(_ item: Cooling) {
        cooling.append(item)
        coolingBytes += item.byteCount
    }

    /// Lets go of what was cooled, was not asked for since, and is seen by no reader any more: as much as is needed.
    private func dropCooled() {
        var leaving: [UInt32] = []
        var excess = residentBytes - budgetBytes
        while excess > 0, !cooling.isEmpty, cooling[0].stamp <= epochs.past {
            let item = cooling.removeFirst()
            coolingBytes -= item.byteCount
            switch item.holding {
            case .page:
                let stamp = side(of: item.number)!.coolingStamps + Int(item.number) % Frames.perArena
                guard frames.page(item.number).word < 0, stamp.pointee == item.stamp else { continue }
                // It may have been cooled twice in one epoch, and leaves once.
                stamp.pointee = 0
                leaving.append(item.number)
            case .value:
                guard dropValue(item) else { continue }
            }
            excess -= item.byteCount
        }
        giveBack(leaving)
    }

    private func dropValue(_ item: Cooling) -> Bool {
        let value = values[item.number]
        let word = values.word(item.number)
        guard word < 0, value.pointee.coolingStamp == item.stamp else {
            if word > 0, value.pointee.isStored { storedValues.append(item.number) }
            return false
        }
        storedValueBytes -= value.pointee.count
        values.drop(item.number)
        return true
    }

    /// Gives frames back to the system, neighbours together.
    func giveBack(_ slots: [UInt32]) {
        let slots = slots.sorted()
        var start = 0
        while start < slots.count {
            var end = start + 1
            let arena = Int(slots[start]) / Frames.perArena
            while end < slots.count, slots[end] == slots[end - 1] + 1, Int(slots[end]) / Frames.perArena == arena {
                end += 1
            }
            for slot in slots[start..<end] { setStored(slot, false) }
            if !makeSide(of: slots[start]).keepsSmall {
                sides[arena]!.keepsSmall = true
                frames.keepSmall(arena: arena)
            }
            frames.giveBack(slots[start]...slots[end - 1])
            notePopulated(start - end)
            start = end
        }
    }
}
