import Hashing
import StateTree

extension Tree {
    func put(_ key: [UInt8], _ value: [UInt8]) {
        key.withUnsafeBytes { key in value.withUnsafeBytes { put(key, $0) } }
    }

    func delete(_ key: [UInt8]) -> Bool { key.withUnsafeBytes { delete($0) } }
}

extension TreeView {
    func value(for key: [UInt8]) -> [UInt8]? { key.withUnsafeBytes { value(for: $0).map { Array($0) } } }

    func proof(for key: [UInt8]) -> Proof { key.withUnsafeBytes { proof(for: $0) } }

    func pairs(from: [UInt8]? = nil, to: [UInt8]? = nil, reversed: Bool = false) -> [Pair] {
        var pairs: [Pair] = []
        withBounds(from, to) { from, to in
            let add: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool = {
                pairs.append(Pair(key: Array($0), value: Array($1)))
                return true
            }
            if reversed { forEachReversed(from: from, to: to, add) } else { forEach(from: from, to: to, add) }
        }
        return pairs
    }

    func differs(from other: TreeView, _ from: [UInt8]? = nil, _ to: [UInt8]? = nil) -> Bool {
        withBounds(from, to) { differs(from: other, from: $0, to: $1) }
    }
}

struct Pair: Equatable {
    var key: [UInt8]
    var value: [UInt8]
}

func withBounds<R>(
    _ from: [UInt8]?, _ to: [UInt8]?, _ body: (UnsafeRawBufferPointer?, UnsafeRawBufferPointer?) -> R
) -> R {
    (from ?? []).withUnsafeBytes { a in
        (to ?? []).withUnsafeBytes { b in body(from == nil ? nil : a, to == nil ? nil : b) }
    }
}

/// The root by the definition alone.
func definedRoot(_ model: [[UInt8]: [UInt8]]) -> Digest {
    var builder = RootBuilder()
    for (key, value) in model.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        key.withUnsafeBytes { key in value.withUnsafeBytes { builder.add(key: key, value: $0) } }
    }
    return builder.root()
}
