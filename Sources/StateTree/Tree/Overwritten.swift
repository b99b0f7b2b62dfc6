/// What keys held before they were put, so that it can be put back without a view of the state before.
///
/// One thread at a time. Neither long values nor keys that go can be noted: what it takes to bring them back may have left
/// memory by then.
public final class Overwritten {
    private let bytes = GrowingBuffer<UInt8>(capacity: 1 << 10)
    /// The lengths of each key and of what it held, -1 if it was not there.
    private let items = GrowingBuffer<(keyCount: Int32, valueCount: Int32)>()

    public init() {}

    deinit {
        bytes.free()
        items.free()
    }

    public var isEmpty: Bool { items.isEmpty }
    /// Bytes of keys and values.
    public var byteCount: Int { bytes.count }

    public func removeAll() {
        bytes.removeAll()
        items.removeAll()
    }

    /// - Parameter record: the key's; `nil` if it is not there.
    func add(_ key: UnsafeRawBufferPointer, _ record: Record?) {
        precondition(record?.isLong != true, "a long value is not put back")
        items.append((Int32(key.count), record.map { Int32($0.inlineValue.count) } ?? -1))
        bytes.append(contentsOf: key)
        if let record { bytes.append(contentsOf: record.inlineValue) }
    }

    /// Takes out the last one that was added.
    fileprivate func takeLast(_ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) -> Void) {
        let item = items.removeLast()
        let (keyCount, valueCount) = (Int(item.keyCount), max(0, Int(item.valueCount)))
        let all = bytes.removeLast(keyCount + valueCount)
        let value = UnsafeRawBufferPointer(rebasing: all[keyCount...])
        body(UnsafeRawBufferPointer(rebasing: all[..<keyCount]), item.valueCount < 0 ? nil : value)
    }
}

extension Tree {
    /// Puts back what was overwritten, the last first, and empties it. Requires that nothing else was written since it was
    /// empty, and that no snapshot was taken.
    public func putBack(_ overwritten: Overwritten) {
        while !overwritten.isEmpty {
            overwritten.takeLast { key, value in
                do {
                    if let value { try put(key, value) } else { try delete(key) }
                } catch {
                    preconditionFailure("what was just written has left memory: \(error)")
                }
            }
        }
    }
}
