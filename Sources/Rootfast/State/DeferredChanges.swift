import CommitLog
import StrictJSON

/// Changes of a replay, put off until there are many, to be applied in the order of their keys: a page that several of
/// them touch is then read once where the state is larger than memory, and found in the processor's caches where it is
/// not. More of them than those caches hold are slower again.
struct DeferredChanges: ~Copyable {
    private(set) var changes = ChangeBytes()
    private let byteCountMax: Int

    /// - Parameter memoryBytesMax: what the state may take, of which this takes an eighth at most.
    init(memoryBytesMax: Int) { byteCountMax = min(memoryBytesMax / 8, 1 << 20) }

    var isFull: Bool { changes.byteCount >= byteCountMax }

    /// `value` is `nil` if the key is deleted; neither is kept.
    mutating func add(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) { changes.append(key, value) }

    mutating func add(_ more: [Change]) { for change in more { changes.append(change) } }

    /// Forgets them all; keeps the memory for the next only where they were many.
    mutating func removeAll() { changes.removeAll(keepingCapacity: isFull) }

    /// The indices of the last change of each key, in the order of the keys.
    var order: [Int] {
        let shared = sharedPrefixCount
        var entries = (0..<changes.count).map { index in
            Entry(head: Self.head(UnsafeRawBufferPointer(rebasing: changes.key(index)[shared...])), index: index)
        }
        Self.sort(&entries)
        sortEqualHeads(&entries)
        var order: [Int] = []
        order.reserveCapacity(entries.count)
        for (position, entry) in entries.enumerated() {
            let next = position + 1
            let isLast =
                next == entries.count || entries[next].head != entry.head
                || !changes.key(entries[next].index).hasSameBytes(as: changes.key(entry.index))
            if isLast { order.append(entry.index) }
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

    /// Sorts entries with one head by the rest of their keys, and then by age.
    private func sortEqualHeads(_ entries: inout [Entry]) {
        var start = 0
        while start < entries.count {
            let head = entries[start].head
            let end = entries[start...].firstIndex { $0.head != head } ?? entries.count
            if end - start > 1 {
                entries[start..<end].sort { a, b in
                    let (left, right) = (changes.key(a.index), changes.key(b.index))
                    return left.precedes(right) || !right.precedes(left) && a.index < b.index
                }
            }
            start = end
        }
    }

    private struct Entry {
        /// The first bytes of the key behind what all keys share, as a number that sorts as they do.
        var head: UInt64
        var index: Int
    }

    private static func head(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        if bytes.count >= 8 { return UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)) }
        return bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(56 - 8 * $1.offset) }
    }

    /// How many bytes all keys begin with.
    private var sharedPrefixCount: Int {
        guard changes.count > 0 else { return 0 }
        let first = changes.key(0)
        return (1..<changes.count).reduce(first.count) { shared, index in
            min(shared, first.commonPrefixCount(with: changes.key(index)))
        }
    }
}
