import CommitLog
import StrictJSON

/// Changes of a replay, put off until there are many, to be applied in the order of their keys: a page that several of
/// them touch is then read once where the state is larger than memory, and found in the processor's caches where it is
/// not. More of them than those caches hold are slower again.
///
/// For a tree that is still empty it is different: of its first changes as many as memory allows are put off, as it is built
/// of them in one go (`Tree.build`).
struct DeferredChanges: ~Copyable {
    private(set) var changes = ChangeBytes()
    private let memoryBytesMax: Int
    private var byteCountMax: Int
    /// How many bytes all keys begin with.
    private var sharedCount = 0

    /// - Parameters:
    ///   - memoryBytesMax: what the state may take. A tree takes up to some one and a half times what it is built of.
    ///   - isEmpty: whether the tree is.
    init(memoryBytesMax: Int, forEmptyTree isEmpty: Bool) {
        self.memoryBytesMax = memoryBytesMax
        byteCountMax = isEmpty ? memoryBytesMax / 3 : Self.batchBytes(memoryBytesMax)
    }

    /// An eighth of the memory at most.
    private static func batchBytes(_ memoryBytesMax: Int) -> Int { min(memoryBytesMax / 8, 2 << 20) }

    var isFull: Bool { changes.byteCount + Self.bytesPerChange * changes.count >= byteCountMax }

    /// What a change takes beside its key and value: until it is applied, and while it is sorted.
    private static let bytesPerChange = 88

    /// Makes room for what a log of so many bytes holds, as far as it is put off together. Costs address space alone.
    mutating func reserve(logBytes: Int) { changes.reserve(min(logBytes, byteCountMax)) }

    /// `value` is `nil` if the key is deleted; neither is kept.
    mutating func add(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        changes.append(key, value)
        noteShared()
    }

    mutating func add(_ more: [Change]) {
        for change in more {
            changes.append(change)
            noteShared()
        }
    }

    private mutating func noteShared() {
        let key = changes.key(changes.count - 1)
        sharedCount = changes.count == 1 ? key.count : min(sharedCount, changes.key(0).commonPrefixCount(with: key))
    }

    /// Forgets them all; keeps the memory for the next only where there will be as many.
    mutating func removeAll() {
        let isBatch = byteCountMax == Self.batchBytes(memoryBytesMax)
        changes.removeAll(keepingCapacity: isBatch && isFull)
        byteCountMax = Self.batchBytes(memoryBytesMax)
    }

    /// The indices of the last change of each key, in the order of the keys.
    var order: [Int] {
        var entries = (0..<changes.count).map { index in
            Entry(UnsafeRawBufferPointer(rebasing: changes.key(index)[sharedCount...]), index: index)
        }
        Self.sort(&entries)
        sortEqualHeads(&entries)
        var order: [Int] = []
        order.reserveCapacity(entries.count)
        for (position, entry) in entries.enumerated() {
            let next = position + 1
            let isLast = next == entries.count || !haveSameKey(entry, entries[next])
            if isLast { order.append(Int(entry.index)) }
        }
        return order
    }

    /// Sorts by head, and leaves entries with one head in their order: byte by byte from the last, passing over those that
    /// all have in common (Knuth, "The Art of Computer Programming", vol. 3, 5.2.5).
    private static func sort(_ entries: inout [Entry]) {
        var sorted = entries
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            func digit(_ entry: Entry) -> Int { Int(truncatingIfNeeded: entry.head &>> shift & 0xff) }
            var places = [Int](repeating: 0, count: 256)
            for entry in entries { places[digit(entry)] += 1 }
            guard !places.contains(entries.count) else { continue }
            var place = 0
            for digit in places.indices { (places[digit], place) = (place, place + places[digit]) }
            for entry in entries {
                sorted[places[digit(entry)]] = entry
                places[digit(entry)] += 1
            }
            swap(&entries, &sorted)
        }
    }

    /// Sorts entries with one head by the rest of their keys, and then by age. Most are the same key's, and in order.
    private func sortEqualHeads(_ entries: inout [Entry]) {
        var start = 0
        while start < entries.count {
            let head = entries[start].head
            var end = start + 1
            var areSame = true
            while end < entries.count, entries[end].head == head {
                areSame = areSame && haveSameKey(entries[end - 1], entries[end])
                end += 1
            }
            if !areSame { entries[start..<end].sort { precedes($0, $1) } }
            start = end
        }
    }

    /// A key as far as it is compared without being looked at, which would be a cache miss.
    private struct Entry {
        /// The first bytes of the key behind what all keys share, as a number that sorts as they do, and those behind.
        var head: UInt64
        var next: UInt64
        /// How many bytes there are behind what all keys share.
        var byteCount: UInt32
        var index: UInt32

        static let byteCountMax = 16

        /// - Parameter bytes: the key behind what all keys share.
        init(_ bytes: UnsafeRawBufferPointer, index: Int) {
            head = Self.number(bytes)
            next = bytes.count > 8 ? Self.number(UnsafeRawBufferPointer(rebasing: bytes[8...])) : 0
            byteCount = UInt32(bytes.count)
            self.index = UInt32(index)
        }

        /// The first eight bytes; zeros for those that are not there.
        private static func number(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
            if bytes.count >= 8 { return UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)) }
            return bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(56 - 8 * $1.offset) }
        }

        /// Whether the key is nothing but these.
        var isWhole: Bool { byteCount <= Self.byteCountMax }
    }

    private func haveSameKey(_ a: Entry, _ b: Entry) -> Bool {
        guard a.head == b.head, a.next == b.next, a.byteCount == b.byteCount else { return false }
        return a.isWhole || changes.key(Int(a.index)).hasSameBytes(as: changes.key(Int(b.index)))
    }

    /// Of entries with one head.
    private func precedes(_ a: Entry, _ b: Entry) -> Bool {
        if a.next != b.next { return a.next < b.next }
        if a.isWhole, b.isWhole { return (a.byteCount, a.index) < (b.byteCount, b.index) }
        let (left, right) = (changes.key(Int(a.index)), changes.key(Int(b.index)))
        return left.precedes(right) || !right.precedes(left) && a.index < b.index
    }
}
