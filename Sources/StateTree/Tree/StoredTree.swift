public import Hashing

/// What a snapshot has to keep of a tree besides its pages and long values, so that a tree can go on from there.
public struct StoredTree: Hashable, Sendable {
    /// The number of keys.
    public var count: Int
    /// The hash of the tree below the root; zero if there is no key.
    public var digest: Digest
    /// The root page: its number in the store, 0 if there is no key, and its slot.
    public var rootPage: UInt64
    public var rootSlot: UInt32
    /// How many slots and numbers of long values were ever used, and which of them are free.
    public var slotCount: Int
    public var valueCount: Int
    public var freeSlots: [UInt32]
    public var freeValues: [UInt32]
    /// The last numbers that the store has given to a page and to a long value.
    public var lastPage: UInt64
    public var lastLongValue: UInt64

    public init(
        count: Int, digest: Digest, rootPage: UInt64, rootSlot: UInt32, slotCount: Int, valueCount: Int,
        freeSlots: [UInt32], freeValues: [UInt32], lastPage: UInt64, lastLongValue: UInt64
    ) {
        self.count = count
        self.digest = digest
        self.rootPage = rootPage
        self.rootSlot = rootSlot
        self.slotCount = slotCount
        self.valueCount = valueCount
        self.freeSlots = freeSlots
        self.freeValues = freeValues
        self.lastPage = lastPage
        self.lastLongValue = lastLongValue
    }

    /// The root of the state.
    public var root: Digest { StateHash.root(count: count, tree: digest) }

    /// Whether its numbers can be those of a tree: each within its bounds, none free twice, and the root's not free;
    /// and no root page where there is no key, and there alone. Costs a bit a slot.
    public var isSound: Bool {
        guard (1...Frames.slotCountMax).contains(slotCount), (0...LongValues.countMax).contains(valueCount),
            (0...slotCount * Page.countMax).contains(count), isRootSound, lastLongValue < StoreNumbers.end,
            var slots = FreeNumbers(freeSlots, below: slotCount), FreeNumbers(freeValues, below: valueCount) != nil
        else { return false }
        // Slot 0 stands for no page.
        return slots.take(0) && (rootPage == 0 || slots.take(rootSlot))
    }

    private var isRootSound: Bool {
        guard rootPage <= lastPage, lastPage < StoreNumbers.end else { return false }
        return count == 0 ? rootPage == 0 && digest == .zero : rootPage != 0
    }

    /// Numbers below a bound, each of them once.
    private struct FreeNumbers {
        private let bound: Int
        private var taken: [UInt64]

        init?(_ numbers: [UInt32], below bound: Int) {
            self.bound = bound
            taken = Array(repeating: 0, count: bound / 64 + 1)
            for number in numbers where !take(number) { return nil }
        }

        /// False if the number is beyond the bound, or was taken before.
        mutating func take(_ number: UInt32) -> Bool {
            let (word, bit) = (Int(number) / 64, UInt64(1) << UInt64(number % 64))
            guard number < bound, taken[word] & bit == 0 else { return false }
            taken[word] |= bit
            return true
        }
    }

    var numbering: PagePool.Numbering {
        .init(slotCount: slotCount, valueCount: valueCount, freeSlots: freeSlots, freeValues: freeValues)
    }
}
