import Hashing
import StateTree

extension Tree {
    func put(_ key: [UInt8], _ value: [UInt8]) {
        // Without a store no page can be missing.
        try! key.withUnsafeBytes { key in try value.withUnsafeBytes { try put(key, $0) } }
    }

    func delete(_ key: [UInt8]) -> Bool { try! key.withUnsafeBytes { try delete($0) } }
}

extension TreeView {
    func value(for key: [UInt8]) -> [UInt8]? {
        try! reading { try key.withUnsafeBytes { try value(for: $0).map { Array($0) } } }
    }

    func proof(for key: [UInt8]) -> Proof { try! key.withUnsafeBytes { try proof(for: $0) } }

    func pairs(from: [UInt8]? = nil, to: [UInt8]? = nil, reversed: Bool = false) -> [Pair] {
        var pairs: [Pair] = []
        withBounds(from, to) { from, to in
            let add: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool = {
                pairs.append(Pair(key: Array($0), value: Array($1)))
                return true
            }
            try! reversed ? forEachReversed(from: from, to: to, add) : forEach(from: from, to: to, add)
        }
        return pairs
    }

    func differs(from other: TreeView, _ from: [UInt8]? = nil, _ to: [UInt8]? = nil) -> Bool {
        withBounds(from, to) { try! differs(from: other, from: $0, to: $1) }
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
