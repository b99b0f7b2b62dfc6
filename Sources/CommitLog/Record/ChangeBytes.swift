import StrictJSON

/// The changes of a transaction, keys and values one after the other in one piece of memory: so that adding, sorting and
/// applying them allocates next to nothing and counts no references.
package struct ChangeBytes: ~Copyable {
    private struct Item {
        var start: Int
        var keyCount: Int
        var valueStart: Int
        /// -1 deletes.
        var valueCount: Int
    }

    private var bytes = ByteBuffer()
    private var items: [Item] = []

    package init() {}

    package init(_ changes: [Change]) {
        bytes.reserve(changes.reduce(0) { $0 + $1.key.count + ($1.value?.count ?? 0) })
        items.reserveCapacity(changes.count)
        for change in changes { append(change) }
    }

    /// Makes room for so many bytes of keys and values, and for changes of some hundred bytes each.
    package mutating func reserve(_ byteCount: Int) {
        bytes.reserve(byteCount)
        items.reserveCapacity(byteCount / 128)
    }

    package mutating func append(_ change: Change) { append(change.key, change.value) }

    /// `value` is `nil` if the key is deleted.
    package mutating func append(_ key: [UInt8], _ value: [UInt8]?) {
        key.withUnsafeBytes { key in
            guard let value else { return append(key, nil) }
            value.withUnsafeBytes { append(key, $0) }
        }
    }

    /// `value` is `nil` if the key is deleted; neither is kept.
    package mutating func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        if items.isEmpty { beginSmall() }
        let start = bytes.count
        items.append(
            Item(start: start, keyCount: key.count, valueStart: start + key.count, valueCount: value?.count ?? -1))
        bytes.append(key)
        if let value { bytes.append(value) }
    }

    /// Room for what a small transaction takes, so that it is not made step by step.
    private mutating func beginSmall() {
        bytes.reserve(Self.smallByteCount)
        items.reserveCapacity(Self.smallCount)
    }
    private static let smallByteCount = 512
    private static let smallCount = 4

    /// Gives a key another value. The memory of the one before is not used again.
    package mutating func replaceValue(_ index: Int, _ value: UnsafeRawBufferPointer?) {
        (items[index].valueStart, items[index].valueCount) = (bytes.count, value?.count ?? -1)
        if let value { bytes.append(value) }
    }

    /// Brings the changes into the order of their keys.
    package mutating func sort() {
        let bytes = bytes.bytes
        func key(_ item: Item) -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(rebasing: bytes[item.start..<(item.start + item.keyCount)])
        }
        items.sort { key($0).precedes(key($1)) }
    }

    package mutating func removeAll(keepingCapacity: Bool) {
        items.removeAll(keepingCapacity: keepingCapacity)
        bytes.removeAll(keepingCapacity: keepingCapacity)
    }

    package var count: Int { items.count }
    package var isEmpty: Bool { items.isEmpty }
    /// Bytes of keys and values.
    package var byteCount: Int { bytes.count }

    /// Valid while this is, and is not changed.
    @inline(__always)
    package func key(_ index: Int) -> UnsafeRawBufferPointer {
        let item = items[index]
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[item.start..<(item.start + item.keyCount)])
    }

    /// Valid while this is, and is not changed; `nil` if the key is deleted.
    @inline(__always)
    package func value(_ index: Int) -> UnsafeRawBufferPointer? {
        let item = items[index]
        guard item.valueCount >= 0 else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[item.valueStart..<(item.valueStart + item.valueCount)])
    }

    /// A change as a value of its own.
    package func copy(_ index: Int) -> Change { Change(key: Array(key(index)), value: value(index).map { Array($0) }) }
    package var copies: [Change] { (0..<count).map { copy($0) } }
}
