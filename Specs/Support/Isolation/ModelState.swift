package import Rootfast

/// A state as simply as it can be had: the entries in the order of their keys.
package struct ModelState: Hashable, Sendable {
    package private(set) var entries: [Entry] = []

    package init() {}

    package mutating func perform(_ operation: Operation) -> [Entry] {
        switch operation {
        case .get(let key): return entries.filter { $0.key == key }
        case .scan(let range): return entries(in: range)
        case .put(let key, let value): set(key, to: value)
        case .delete(let key): set(key, to: nil)
        }
        return []
    }

    private mutating func set(_ key: [UInt8], to value: [UInt8]?) {
        let index = entries.firstIndex { !$0.key.lexicographicallyPrecedes(key) } ?? entries.count
        if index < entries.count, entries[index].key == key { entries.remove(at: index) }
        if let value { entries.insert(Entry(key: key, value: value), at: index) }
    }

    private func entries(in range: ScanRange) -> [Entry] {
        let covered = entries.filter { entry in
            (range.from.map { !entry.key.lexicographicallyPrecedes($0) } ?? true)
                && (range.to.map { entry.key.lexicographicallyPrecedes($0) } ?? true)
        }
        return Array((range.isReversed ? covered.reversed() : covered).prefix(range.limit ?? .max))
    }
}
