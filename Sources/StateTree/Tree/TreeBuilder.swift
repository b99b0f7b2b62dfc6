import CMemory
import Hashing

extension Tree {
    /// Fills an empty tree with pairs in the order of their keys, faster than a `put` of each. Requires that keys rise, sizes
    /// within `Limits`, and that key and value of a number stay where they are; none is kept.
    ///
    /// - Parameters:
    ///   - value: `nil` leaves the key out.
    ///   - onRoomDue: told when `makeRoomAhead` has something to do.
    public func build(
        _ count: Int, key: (Int) -> UnsafeRawBufferPointer, value: (Int) -> UnsafeRawBufferPointer?,
        onRoomDue: () -> Void
    ) {
        var builder = TreeBuilder(self)
        for i in 0..<count {
            if i + Self.prefetchDistance < count { rootfast_prefetch(key(i + Self.prefetchDistance).baseAddress) }
            if let value = value(i) { builder.add(key(i), value) }
            if i % Self.lookUpCountMax == 0, isRoomDue { onRoomDue() }
        }
        builder.finish()
    }

    /// A pair is asked for so many pairs before it is looked at.
    private static let prefetchDistance = 16
}

/// Fills an empty tree with pairs in the order of their keys: each page is laid out once, where single puts would find it,
/// write it and split it time and again.
///
/// What is known of the tree so far is its right edge: subtrees that are finished but for what stands to their right, each
/// with the bit at which it meets the next (the stack of a Cartesian tree's construction, as in `RootBuilder`). Their entries
/// lie one behind the other, so joining two is free; only where both together are larger than a page does what is substantial
/// of them become pages of their own. So pages are as full as those of a tree that grew, and as deep.
struct TreeBuilder: ~Copyable {
    /// A subtree of the right edge: its entries from `start` on, up to where the next begins.
    private struct Piece {
        var start: Int
        /// What its entries take in a page.
        var byteCount: Int
    }

    private let tree: Tree
    private var entries: [PageImage.Entry] = []
    /// Between neighbours.
    private var gaps: [PageImage.Gap] = []
    /// With the bit of the gap behind it; the greatest last.
    private var open: [(piece: Piece, bit: Int)] = []
    private var last: Piece?
    private var lastKey = UnsafeRawBufferPointer(start: nil, count: 0)
    private var count = 0

    /// Requires that `tree` is empty and is not used before `finish`.
    init(_ tree: Tree) {
        precondition(tree.count == 0, "only an empty tree is built")
        self.tree = tree
    }

    /// Adds a pair. Requires that keys rise, and sizes within `Limits`; both buffers must stay until `finish`.
    mutating func add(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        precondition((1...Limits.keyBytesMax).contains(key.count) && value.count <= Limits.valueBytesMax)
        if count > 0 {
            guard let bit = KeyBits.firstDifference(lastKey, key), KeyBits.bit(bit, of: key) == 1 else {
                preconditionFailure("keys must rise")
            }
            join(downTo: bit)
            open.append((last!, bit))
            gaps.append(PageImage.Gap(bit: bit, hash: .zero, isDirty: true))
        }
        let entry = PageImage.Entry(content: .new(key: key, tree.payload(value, of: key)), hash: .zero, isDirty: true)
        last = Piece(start: entries.count, byteCount: Page.entryBytes + entry.heapBytes)
        entries.append(entry)
        lastKey = key
        count += 1
    }

    /// The tree has the pairs that were added; it is the writer's again.
    consuming func finish() {
        guard count > 0 else { return }
        join(downTo: -1)
        tree.plant(rootPage: makePage(0..<entries.count), count: count)
    }

    /// Joins the newest subtree with those to its left whose nodes lie below a bit.
    private mutating func join(downTo bit: Int) {
        while let top = open.last, top.bit > bit {
            open.removeLast()
            last = join(top.piece, last!)
        }
    }

    /// The subtree of the node between two neighbours.
    private mutating func join(_ left: Piece, _ right: Piece) -> Piece {
        let entryCount = entries.count - left.start
        let byteCount = left.byteCount + right.byteCount
        if Page.headerBytes + byteCount <= Page.frameBytes, entryCount <= Page.countMax {
            return Piece(start: left.start, byteCount: byteCount)
        }
        let shortRight = shorten(right, to: entries.count)
        let shortLeft = shorten(left, to: right.start)
        return Piece(start: left.start, byteCount: shortLeft.byteCount + shortRight.byteCount)
    }

    /// Makes a substantial subtree, which ends before entry `end`, a page of its own and leaves a reference to it.
    private mutating func shorten(_ piece: Piece, to end: Int) -> Piece {
        guard end - piece.start > 1, piece.byteCount > PageImage.looseBytesMax else { return piece }
        let reference = PageImage.Entry(
            content: .child(makePage(piece.start..<end)), hash: .zero, isDirty: true)
        entries.replaceSubrange(piece.start..<end, with: CollectionOfOne(reference))
        gaps.removeSubrange(piece.start..<(end - 1))
        return Piece(start: piece.start, byteCount: Page.entryBytes)
    }

    private func makePage(_ run: Range<Int>) -> UInt32 {
        let (page, slot) = tree.pool.makePage()
        PageImage(entries: entries[run], gaps: gaps[run.lowerBound..<(run.upperBound - 1)])
            .encode(into: page, slot: slot, generation: tree.pool.generation)
        return slot
    }
}
