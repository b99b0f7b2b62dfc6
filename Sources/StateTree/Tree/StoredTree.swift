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

    var numbering: PagePool.Numbering {
        .init(slotCount: slotCount, valueCount: valueCount, freeSlots: freeSlots, freeValues: freeValues)
    }
}
