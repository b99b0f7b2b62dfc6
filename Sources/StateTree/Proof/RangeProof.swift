public import Hashing

/// A proof of all that a state holds in a range of keys [from, to): nothing added, changed or left out.
///
/// It holds the rows, the neighbour on each side (or that there is none), and the hashes of the subtrees outside
/// them. The rows and neighbours are consecutive leaves, so the tree over them can be rebuilt: `left` are the subtrees
/// before the first of these leaves and `right` those after the last, each root first, and their bits say where they
/// join.
public struct RangeProof: Hashable, Sendable {
    public struct Row: Hashable, Sendable {
        public var key: [UInt8]
        public var value: [UInt8]
        public init(key: [UInt8], value: [UInt8]) {
            self.key = key
            self.value = value
        }
    }

    /// The number of keys in the state.
    public var count: Int
    public var rows: [Row]
    /// The last key before the range, or that there is none.
    public var before: Proof.Leaf?
    /// The first key not before the end of the range, or that there is none.
    public var after: Proof.Leaf?
    public var left: [Proof.Step]
    public var right: [Proof.Step]

    public init(
        count: Int, rows: [Row], before: Proof.Leaf?, after: Proof.Leaf?, left: [Proof.Step], right: [Proof.Step]
    ) {
        self.count = count
        self.rows = rows
        self.before = before
        self.after = after
        self.left = left
        self.right = right
    }
}

extension RangeProof {
    /// Checks that the rows are all that the state with this root holds in [from, to). `nil` is no bound.
    ///
    /// Recomputes every hash; costs the rows and at most 9,217 steps a side. There is one proof of each range, but for a
    /// range that ends before it begins: that nothing is in it several show.
    ///
    /// - Throws: `ProofError` if the proof does not show this.
    public func verify(from: [UInt8]?, to: [UInt8]?, root: Digest) throws(ProofError) {
        guard count >= rows.count else { throw .count(count) }
        let leaves = try checkedLeaves(from: from, to: to)
        guard let first = leaves.first, let last = leaves.last else {
            guard count == 0, left.isEmpty, right.isEmpty else { throw .count(count) }
            return try check(.zero, root)
        }
        try Self.check(left, beside: first.key, side: 1, isThere: before != nil)
        try Self.check(right, beside: last.key, side: 0, isThere: after != nil)
        try check(rebuild(leaves), root)
    }

    private func check(_ tree: Digest, _ root: Digest) throws(ProofError) {
        let rebuilt = StateHash.root(count: count, tree: tree)
        guard rebuilt == root else { throw .root(rebuilt: rebuilt) }
    }

    /// Neighbours and rows as one rising run of leaves, each where it must be.
    private func checkedLeaves(from: [UInt8]?, to: [UInt8]?) throws(ProofError) -> [Proof.Leaf] {
        var leaves = rows.map { Proof.Leaf(key: $0.key, valueHash: BLAKE2b.hash($0.value)) }
        for (i, leaf) in leaves.enumerated() {
            try Proof.checkKey(leaf.key)
            let isInside =
                from.map { !Self.precedes(leaf.key, $0) } ?? true && to.map { Self.precedes(leaf.key, $0) } ?? true
            guard isInside, i == 0 || Self.precedes(leaves[i - 1].key, leaf.key) else { throw .rows(index: i) }
        }
        if let before {
            try Proof.checkKey(before.key)
            guard let from, Self.precedes(before.key, from) else { throw .rows(index: 0) }
            leaves.insert(before, at: 0)
        }
        if let after {
            try Proof.checkKey(after.key)
            guard let to, !Self.precedes(after.key, to), leaves.last.map({ Self.precedes($0.key, after.key) }) ?? true
            else { throw .rows(index: rows.count) }
            leaves.append(after)
        }
        return leaves
    }

    /// The subtrees on one side: none if there is no neighbour there; else bits rise within the outermost leaf's
    /// key, which goes the other way at each.
    private static func check(
        _ steps: [Proof.Step], beside key: [UInt8], side: Int, isThere: Bool
    ) throws(ProofError) {
        guard isThere || steps.isEmpty, steps.count <= Limits.keyBitsMax else { throw .path(step: 0) }
        var last = -1
        for (i, step) in steps.enumerated() {
            guard step.bit > last, step.bit <= 9 * key.count else { throw .path(step: i) }
            guard key.withUnsafeBytes({ KeyBits.bit(step.bit, of: $0) }) == side else { throw .wrongWay(step: i) }
            last = step.bit
        }
    }

    private func rebuild(_ leaves: [Proof.Leaf]) throws(ProofError) -> Digest {
        var builder = RootBuilder()
        for (i, step) in left.enumerated() {
            builder.add(subtree: step.sibling)
            guard builder.join(at: step.bit) else { throw .path(step: i) }
        }
        for (i, leaf) in leaves.enumerated() {
            if i > 0 {
                let bit = leaves[i - 1].key.withUnsafeBytes { a in
                    leaf.key.withUnsafeBytes { KeyBits.firstDifference(a, $0)! }
                }
                guard builder.join(at: bit) else { throw .rows(index: i) }
            }
            builder.add(subtree: StateHash.leaf(key: leaf.key, valueHash: leaf.valueHash))
        }
        for (i, step) in right.reversed().enumerated() {
            guard builder.join(at: step.bit) else { throw .path(step: right.count - 1 - i) }
            builder.add(subtree: step.sibling)
        }
        return builder.tree()!
    }

    private static func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.withUnsafeBytes { a in b.withUnsafeBytes { KeyBits.precedes(a, $0) } }
    }
}

extension TreeView {
    /// The proof of all that this view holds in [from, to); `nil` is no bound. Requires a view made with hashing.
    public func rangeProof(from: [UInt8]?, to: [UInt8]?) throws(PageError) -> RangeProof {
        try reading { () throws(PageError) in try makeRangeProof(from: from, to: to) }
    }

    private func makeRangeProof(from: [UInt8]?, to: [UInt8]?) throws(PageError) -> RangeProof {
        precondition(treeDigest != nil, "only a hashed view can prove")
        var proof = RangeProof(count: count, rows: [], before: nil, after: nil, left: [], right: [])
        var cursor = try Cursor(self)
        if let from {
            try from.withUnsafeBufferPointer { from throws(PageError) in
                try cursor.move(to: UnsafeRawBufferPointer(from))
            }
            var neighbour = cursor
            if try neighbour.previous() { proof.before = neighbour.leaf }
        }
        while !cursor.isAtEnd {
            if let to, !to.withUnsafeBytes({ KeyBits.precedes(cursor.key, $0) }) {
                proof.after = cursor.leaf
                break
            }
            proof.rows.append(.init(key: Array(cursor.key), value: Array(try cursor.value)))
            try cursor.next()
        }
        if let before = proof.before { proof.left = try siblings(of: before.key, side: 1) }
        if let after = proof.after { proof.right = try siblings(of: after.key, side: 0) }
        return proof
    }

    /// The siblings on the way to a key that is there, where the key goes to `side`.
    private func siblings(of key: [UInt8], side: Int) throws(PageError) -> [Proof.Step] {
        try key.withUnsafeBufferPointer { key throws(PageError) in
            let key = UnsafeRawBufferPointer(key)
            return try proof(for: key).path.filter { KeyBits.bit($0.bit, of: key) == side }
        }
    }
}

extension Cursor {
    fileprivate var leaf: Proof.Leaf { Proof.Leaf(key: Array(key), valueHash: valueHash) }
}
