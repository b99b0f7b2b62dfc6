import CommitLog
import StrictJSON

/// What a transaction has changed so far, one change a key.
///
/// A value of its own, so that a `put` is one access to it, and not one to each of its parts: those of a class are checked at
/// run time.
struct OwnChanges: ~Copyable {
    private(set) var changes = ChangeBytes()
    /// Where each key is, once there are too many to look through.
    private var index: [[UInt8]: Int] = [:]
    private static let lookedThroughMax = 8

    /// `value` is `nil` if the key is deleted; neither is kept.
    mutating func set(_ key: UnsafeRawBufferPointer, to value: UnsafeRawBufferPointer?) {
        if let position = position(of: key) { return changes.replaceValue(position, value) }
        changes.append(key, value)
        if !index.isEmpty {
            index[Array(key)] = changes.count - 1
        } else if changes.count > Self.lookedThroughMax {
            for position in 0..<changes.count { index[Array(changes.key(position))] = position }
        }
    }

    /// Where in `changes` a key is.
    func position(of key: UnsafeRawBufferPointer) -> Int? {
        guard index.isEmpty else { return index[Array(key)] }
        return (0..<changes.count).first { changes.key($0).hasSameBytes(as: key) }
    }

    /// Takes all of them out, in the order of their keys.
    mutating func takeAll() -> ChangeBytes {
        var taken = ChangeBytes()
        swap(&taken, &changes)
        index = [:]
        taken.sort()
        return taken
    }
}
