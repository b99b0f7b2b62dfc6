import CMemory
import Hashing
import Threading

/// Lets stored pages and long values leave memory, and brings them back.
///
/// A page is *stored* once a snapshot that holds it is durable; from then on it never changes. What is to leave is first
/// *cooled*: marked so that whoever comes to it takes the slow way in here, which takes the mark off again. What nobody
/// came to leaves as soon as every reader has finished who may have passed it before the mark (see `ReaderEpochs`; the
/// cooling stage is that of LeanStore: Leis et al., "LeanStore", ICDE 2018). So references from page to page need no
/// change, and a look-up costs one comparison more.
///
/// `@unchecked Sendable`, because everything mutable is touched under `lock` only, but for the words in pages and
/// values, which are atomic.
final class Paging: @unchecked Sendable {
    let store: any PageStore
    let budgetBytes: Int
    let epochs = ReaderEpochs()
    private let frames: Frames
    private let values: LongValues
    private let kernel: HashKernel
    private let lock = Lock()
    /// What is known of an arena's pages.
    private var sides: [Side?] = []
    private var cooling = GrowingBuffer<Cooling>()
    private var coolingBytes = 0
    private var hand = 0
    /// Stored long values in memory that are not cooling, or were once.
    private var storedValues = GrowingBuffer<UInt32>()
    private let populated: UnsafeMutablePointer<Int64>
    private let spare: UnsafeMutablePointer<Int64>
    /// How many pages, and how many bytes of long values, are stored and in memory.
    private var storedPageCount = 0
    private var storedValueBytes = 0
    /// What no longer belongs to the tree, and is in the page store.
    private var dropped: [StoredItem] = []

    /// What is known of the pages of an arena.
    private struct Side {
        /// Their numbers in the page store; 0 for those that are not there.
        let ids: UnsafeMutablePointer<UInt64>
        /// Which are stored and in memory.
        let isStored: UnsafeMutablePointer<UInt64>
        /// The epochs in which they were last cooled.
        let coolingStamps: UnsafeMutablePointer<Int64>
        var keepsSmall = false

        init() {
            ids = .allocate(capacity: Frames.perArena)
            ids.initialize(repeating: 0, count: Frames.perArena)
            isStored = .allocate(capacity: Frames.perArena / 64)
            isStored.initialize(repeating: 0, count: Frames.perArena / 64)
            coolingStamps = .allocate(capacity: Frames.perArena)
            coolingStamps.initialize(repeating: 0, count: Frames.perArena)
        }

        func free() {
            ids.deallocate()
            isStored.deallocate()
            coolingStamps.deallocate()
        }
    }

    private enum Holding { case page, value }
    private struct Cooling {
        var holding: Holding
        var number: UInt32
        var stamp: Int64
        var byteCount: Int
    }

    init(_ store: any PageStore, budgetBytes: Int, _ frames: Frames, _ values: LongValues, _ kernel: HashKernel) {
        self.store = store
        self.budgetBytes = budgetBytes
        self.frames = frames
        self.values = values
        self.kernel = kernel
        populated = .allocate(capacity: 1)
        populated.initialize(to: 0)
        spare = .allocate(capacity: 1)
        spare.initialize(to: 0)
    }

    deinit {
        for side in sides { side?.free() }
        cooling.free()
        storedValues.free()
        populated.deallocate()
        spare.deallocate()
        epochs.free()
    }

    // MARK: - Accounts

    /// Notes that frames were written for the first time, or given back.
    func notePopulated(_ change: Int) { rootfast_add(populated, Int64(change)) }

    /// Notes that frames which hold memory became free, or are in use again.
    func noteSpare(_ change: Int) { rootfast_add(spare, Int64(change)) }

    /// Bytes of frames and long values in memory.
    var residentBytes: Int { Int(rootfast_load(populated)) * Page.frameBytes + values.byteCount }
    var isOverBudget: Bool { residentBytes > budgetBytes }

    /// Bytes that cannot leave memory before the next snapshot.
    var unstoredBytes: Int {
        lock.withLock {
            let spareCount = Int(rootfast_load(spare))
            return residentBytes - (storedPageCount + spareCount) * Page.frameBytes - storedValueBytes
        }
    }

    // MARK: - Numbers in the store (with `lock` held)

    private func side(of slot: UInt32) -> Side? {
        let index = Int(slot) / Frames.perArena
        return index < sides.count ? sides[index] : nil
    }

    private func makeSide(of slot: UInt32) -> Side {
        let index = Int(slot) / Frames.perArena
        if index >= sides.count { sides += Array(repeating: nil, count: index + 1 - sides.count) }
        if let side = sides[index] { return side }
        let side = Side()
        sides[index] = side
        return side
    }

    private func id(of slot: UInt32) -> UInt64 { side(of: slot)?.ids[Int(slot) % Frames.perArena] ?? 0 }

    private func setStored(_ slot: UInt32, _ isStored: Bool) {
        guard let side = side(of: slot) else { return }
        let (word, bit) = (Int(slot) % Frames.perArena / 64, UInt64(1) << UInt64(slot % 64))
        guard (side.isStored[word] & bit != 0) != isStored else { return }
        side.isStored[word] ^= bit
        storedPageCount += isStored ? 1 : -1
    }

    // MARK: - Coming back

    /// Makes known which page of the store a slot stands for.
    func adopt(page id: UInt64, at slot: UInt32) throws(PageError) {
        try lock.withLock { () throws(PageError) in try note(page: id, at: slot) }
    }

    private func note(page id: UInt64, at slot: UInt32) throws(PageError) {
        guard slot > 0, Int(slot) < Frames.slotCountMax else {
            throw PageError(.damaged, .page, id, "there is no slot \(slot)")
        }
        frames.makeArena(of: slot, isHuge: false)
        let side = makeSide(of: slot)
        let known = side.ids[Int(slot) % Frames.perArena]
        guard known == 0 || known == id else {
            throw PageError(.damaged, .page, id, "slot \(slot) stands for page \(known) already")
        }
        side.ids[Int(slot) % Frames.perArena] = id
    }

    private func note(_ value: StoredPage.LongValue) throws(PageError) {
        guard Int(value.number) < LongValues.countMax else {
            throw PageError(.damaged, .longValue, value.id, "there is no long value \(value.number)")
        }
        values.makeChunk(of: value.number)
        let entry = values[value.number]
        guard entry.pointee.id == 0 || entry.pointee.id == value.id && entry.pointee.digest == value.digest else {
            throw PageError(.damaged, .longValue, value.id, "its number \(value.number) stands for another already")
        }
        entry.pointee.id = value.id
        entry.pointee.count = value.count
        entry.pointee.digest = value.digest
    }

    /// The slow way to a page: one that was cooled stays, and one that is not in memory is read and verified.
    ///
    /// - Parameter digest: what the page that refers to it says of it.
    func fetch(_ slot: UInt32, expecting digest: Digest) throws(PageError) -> Page {
        let page = frames.page(slot)
        let id: UInt64? = lock.withLock {
            if page.word > 0 { return nil }
            if page.word < 0 {
                page.word &= .max
                return nil
            }
            return self.id(of: slot)
        }
        guard let id else { return page }
        let stored = try StoredPage(store.page(id), id: id)
        try lock.withLock { () throws(PageError) in
            for child in stored.children { try note(page: child.id, at: child.slot) }
            for value in stored.longValues { try note(value) }
        }
        try withScratchFrame { scratch throws(PageError) in
            try stored.layOut(in: scratch, expecting: digest, values, kernel)
            lock.withLock { publish(scratch, at: slot) }
        }
        makeRoom()
        return page
    }

    private func publish(_ scratch: Page, at slot: UInt32) {
        let page = frames.page(slot)
        if page.word < 0 { page.word &= .max }
        guard page.word == 0 else { return }
        let headless = MemoryLayout<Int64>.size
        (page.base + headless).copyMemory(from: scratch.base + headless, byteCount: Page.frameBytes - headless)
        page.slot = slot
        page.word = Page.storedGeneration
        notePopulated(1)
        setStored(slot, true)
    }

    private func withScratchFrame(_ body: (Page) throws(PageError) -> Void) throws(PageError) {
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: Page.frameBytes, alignment: 16)
        defer { scratch.deallocate() }
        try body(Page(scratch))
    }

    /// The slow way to a long value.
    func fetchValue(_ number: UInt32) throws(PageError) -> UnsafeRawBufferPointer {
        let value = values[number]
        let id: UInt64? = lock.withLock {
            if values.word(number) < 0 { values.setWord(number, values.word(number) & .max) }
            return values.word(number) > 0 ? nil : value.pointee.id
        }
        if let id {
            let bytes = try store.longValue(id)
            guard bytes.count == value.pointee.count, BLAKE2b.hash(bytes) == value.pointee.digest else {
                throw PageError(.damaged, .longValue, id, "its hash is not the one in its leaf")
            }
            lock.withLock {
                if values.word(number) < 0 { values.setWord(number, values.word(number) & .max) }
                guard values.word(number) == 0 else { return }
                bytes.withUnsafeBytes { values.fill(number, $0) }
                noteStored(value: number)
            }
            makeRoom()
        }
        // Whoever asks is counted in, so that it cannot have left since.
        let word = values.word(number) & .max
        return UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: Int(word)), count: value.pointee.count)
    }

    private func noteStored(value number: UInt32) {
        storedValues.append(number)
        storedValueBytes += values[number].pointee.count
    }
}

/// A page or a long value, by its number in the page store.
public enum StoredItem: Hashable, Sendable {
    case page(UInt64)
    case longValue(UInt64)
}

// MARK: - Leaving

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
            guard word > 0, value.pointee.id != 0 else { continue }
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
            if word > 0, value.pointee.id != 0 { storedValues.append(item.number) }
            return false
        }
        storedValueBytes -= value.pointee.count
        values.drop(item.number)
        return true
    }

    /// Gives frames back to the system, neighbours together.
    private func giveBack(_ slots: [UInt32]) {
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

// MARK: - The writer

extension Paging {
    /// Gives up pages that no generation can see any more. Their frames are kept for new pages, unless memory is beyond
    /// the budget and there are many.
    func free(pages slots: [UInt32]) {
        lock.withLock {
            for slot in slots {
                setStored(slot, false)
                side(of: slot)?.ids[Int(slot) % Frames.perArena] = 0
            }
            let spareBytes = Int(rootfast_load(spare)) * Page.frameBytes
            let filled = slots.filter { frames.page($0).word != 0 }
            if isOverBudget, spareBytes > budgetBytes / 16 { giveBack(filled) } else { noteSpare(filled.count) }
        }
    }

    func free(value number: UInt32) {
        lock.withLock {
            let value = values[number]
            if value.pointee.id != 0, values.word(number) != 0 { storedValueBytes -= value.pointee.count }
            values.drop(number)
            value.pointee.id = 0
        }
    }

    /// Notes that the tree no longer holds these, so far as the store has them.
    func noteDropped(pages slots: [UInt32], values numbers: [UInt32]) {
        lock.withLock {
            for slot in slots {
                let id = id(of: slot)
                if id != 0 { dropped.append(.page(id)) }
            }
            for number in numbers where values[number].pointee.id != 0 {
                dropped.append(.longValue(values[number].pointee.id))
            }
        }
    }

    /// Takes over what was dropped since the last snapshot.
    func takeDropped() -> [StoredItem] {
        lock.withLock {
            defer { dropped = [] }
            return dropped
        }
    }

    /// Takes it back, as the snapshot was not made.
    func putBackDropped(_ items: [StoredItem]) { lock.withLock { dropped = items + dropped } }

    /// Keeps a page in memory from now on. Requires that it is there.
    func keep(_ slot: UInt32) {
        lock.withLock {
            let page = frames.page(slot)
            if page.word < 0 { page.word &= .max }
            setStored(slot, false)
        }
    }
}

// MARK: - A snapshot

extension Paging {
    /// The number of a page in the store, 0 if it has none.
    func storeID(ofPage slot: UInt32) -> UInt64 { lock.withLock { id(of: slot) } }
    func storeID(ofValue number: UInt32) -> UInt64 { lock.withLock { values[number].pointee.id } }

    /// Gives a page a number in the store; 0 takes it back.
    func setStoreID(_ id: UInt64, ofPage slot: UInt32) {
        lock.withLock { makeSide(of: slot).ids[Int(slot) % Frames.perArena] = id }
    }
    func setStoreID(_ id: UInt64, ofValue number: UInt32) { lock.withLock { values[number].pointee.id = id } }

    /// From now on these may leave memory, but for the page at `root`.
    func noteStored(pages: [UInt32], values numbers: [UInt32], root: UInt32) {
        lock.withLock {
            for slot in pages where slot != root { setStored(slot, true) }
            for number in numbers { noteStored(value: number) }
        }
        makeAllRoom()
    }
}
