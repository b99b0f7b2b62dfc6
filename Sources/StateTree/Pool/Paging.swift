import CMemory
import Hashing
import Threading

/// Lets stored pages and long values leave memory, and brings them back.
///
/// A page is *stored* once a snapshot that holds it is durable, until it is written again (`takeBack`). What is to leave is first
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
    let frames: Frames
    let values: LongValues
    let kernel: HashKernel
    let lock = Lock()
    /// What is known of an arena's pages.
    var sides: [Side?] = []
    var cooling = GrowingBuffer<Cooling>()
    var coolingBytes = 0
    var hand = 0
    /// Stored long values in memory that are not cooling, or were once.
    var storedValues = GrowingBuffer<UInt32>()
    private let populated: UnsafeMutablePointer<Int64>
    let spare: UnsafeMutablePointer<Int64>
    /// How many pages, and how many bytes of long values, are stored and in memory.
    var storedPageCount = 0
    var storedValueBytes = 0
    /// What the stored tree that this one goes on from uses; `nil` if it goes on from none.
    var usedSlots: UsedNumbers?
    var usedValues: UsedNumbers?
    /// What no longer belongs to the tree, and is in the page store.
    var dropped: [StoredItem] = []

    /// What is known of the pages of an arena.
    struct Side {
        /// Their numbers in the page store; 0 for those that are not there.
        let ids: UnsafeMutablePointer<UInt64>
        /// The hashes of those that are there.
        let digests: UnsafeMutablePointer<Digest>
        /// Which are stored and in memory.
        let isStored: UnsafeMutablePointer<UInt64>
        /// Which stay in memory, stored or not.
        let isKept: UnsafeMutablePointer<UInt64>
        /// The epochs in which they were last cooled.
        let coolingStamps: UnsafeMutablePointer<Int64>
        var keepsSmall = false

        init() {
            ids = .allocate(capacity: Frames.perArena)
            ids.initialize(repeating: 0, count: Frames.perArena)
            digests = .allocate(capacity: Frames.perArena)
            digests.initialize(repeating: .zero, count: Frames.perArena)
            isStored = .allocate(capacity: Frames.perArena / 64)
            isStored.initialize(repeating: 0, count: Frames.perArena / 64)
            isKept = .allocate(capacity: Frames.perArena / 64)
            isKept.initialize(repeating: 0, count: Frames.perArena / 64)
            coolingStamps = .allocate(capacity: Frames.perArena)
            coolingStamps.initialize(repeating: 0, count: Frames.perArena)
        }

        func free() {
            ids.deallocate()
            digests.deallocate()
            isStored.deallocate()
            isKept.deallocate()
            coolingStamps.deallocate()
        }
    }

    enum Holding { case page, value }
    struct Cooling {
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

    func side(of slot: UInt32) -> Side? {
        let index = Int(slot) / Frames.perArena
        return index < sides.count ? sides[index] : nil
    }

    func makeSide(of slot: UInt32) -> Side {
        let index = Int(slot) / Frames.perArena
        if index >= sides.count { sides += Array(repeating: nil, count: index + 1 - sides.count) }
        if let side = sides[index] { return side }
        let side = Side()
        sides[index] = side
        return side
    }

    func id(of slot: UInt32) -> UInt64 { side(of: slot)?.ids[Int(slot) % Frames.perArena] ?? 0 }

    /// Whether a page may leave memory; one that is kept may not.
    func setStored(_ slot: UInt32, _ isStored: Bool) {
        guard let side = side(of: slot) else { return }
        let (word, bit) = Self.place(of: slot)
        if isStored, side.isKept[word] & bit != 0 { return }
        guard (side.isStored[word] & bit != 0) != isStored else { return }
        side.isStored[word] ^= bit
        storedPageCount += isStored ? 1 : -1
    }

    func setKept(_ slot: UInt32, _ isKept: Bool) {
        guard let side = isKept ? makeSide(of: slot) : side(of: slot) else { return }
        let (word, bit) = Self.place(of: slot)
        if isKept { side.isKept[word] |= bit } else { side.isKept[word] &= ~bit }
    }

    private static func place(of slot: UInt32) -> (word: Int, bit: UInt64) {
        (Int(slot) % Frames.perArena / 64, UInt64(1) << UInt64(slot % 64))
    }
}

/// A page or a long value, by its number in the page store.
public enum StoredItem: Hashable, Sendable {
    case page(UInt64)
    case longValue(UInt64)
}
