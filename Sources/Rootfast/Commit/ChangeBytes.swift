import CommitLog
import StrictJSON

/// The changes of a transaction, one after the other in one piece of memory: so that applying them, one thread at a
/// time, counts no references.
struct ChangeBytes: ~Copyable {
    private struct Item {
        var start: Int
        var keyCount: Int
        /// -1 deletes.
        var valueCount: Int
    }

    private var bytes: ByteBuffer
    private var items: [Item] = []

    init(_ changes: [Change]) {
        bytes = ByteBuffer(capacity: changes.reduce(0) { $0 + $1.key.count + ($1.value?.count ?? 0) })
        items.reserveCapacity(changes.count)
        for change in changes { append(change) }
    }

    init() { bytes = ByteBuffer() }

    mutating func append(_ change: Change) {
        items.append(Item(start: bytes.count, keyCount: change.key.count, valueCount: change.value?.count ?? -1))
        bytes.append(change.key)
        if let value = change.value { bytes.append(value) }
    }

    /// `value` is `nil` if the key is deleted; neither is kept.
    mutating func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        items.append(Item(start: bytes.count, keyCount: key.count, valueCount: value?.count ?? -1))
        bytes.append(key)
        if let value { bytes.append(value) }
    }

    mutating func removeAll(keepingCapacity: Bool) {
        items.removeAll(keepingCapacity: keepingCapacity)
        bytes.removeAll(keepingCapacity: keepingCapacity)
    }

    var count: Int { items.count }
    /// Bytes of keys and values.
    var byteCount: Int { bytes.count }

    /// Valid while this is.
    @inline(__always)
    func key(_ index: Int) -> UnsafeRawBufferPointer {
        let item = items[index]
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[item.start..<(item.start + item.keyCount)])
    }

    /// Valid while this is; `nil` if the key is deleted.
    @inline(__always)
    func value(_ index: Int) -> UnsafeRawBufferPointer? {
        let item = items[index]
        guard item.valueCount >= 0 else { return nil }
        let start = item.start + item.keyCount
        return UnsafeRawBufferPointer(rebasing: bytes.bytes[start..<(start + item.valueCount)])
    }
}
