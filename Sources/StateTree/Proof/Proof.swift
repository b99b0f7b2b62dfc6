public import Hashing

/// A proof that a key is present in a state, or absent from it: checked against a root, with no store at hand.
///
/// It is the leaf that a look-up of the key reaches, and the siblings on the way, root first. An equal leaf key
/// proves presence, a different one absence. With no leaf it is the proof for the state of no keys.
public struct Proof: Hashable, Sendable {
    public struct Leaf: Hashable, Sendable {
        public var key: [UInt8]
        public var valueHash: Digest
        public init(key: [UInt8], valueHash: Digest) {
            self.key = key
            self.valueHash = valueHash
        }
    }

    /// The hash of the subtree that the look-up did not enter, at the node that tells keys apart by `bit`.
    public struct Step: Hashable, Sendable {
        public var bit: Int
        public var sibling: Digest
        public init(bit: Int, sibling: Digest) {
            self.bit = bit
            self.sibling = sibling
        }
    }

    /// The number of keys in the state.
    public var count: Int
    public var leaf: Leaf?
    public var path: [Step]

    public init(count: Int, leaf: Leaf?, path: [Step]) {
        self.count = count
        self.leaf = leaf
        self.path = path
    }
}

/// What a proof shows of a key.
public enum Membership: Hashable, Sendable {
    case present(valueHash: Digest)
    case absent
}

/// Why a proof is refused.
public enum ProofError: Error, Hashable, Sendable {
    /// A key with no byte or more than 1,024.
    case keySize(Int)
    /// A negative count, a leaf in the state of no keys, or none in another.
    case count(Int)
    /// More steps than a key has bits, or a bit out of order or past the leaf's key.
    case path(step: Int)
    /// At this step the asked key goes another way than the leaf's.
    case wrongWay(step: Int)
    /// A row or neighbour out of order, outside the range, or missing where one must be.
    case rows(index: Int)
    /// The hashes add up to another root.
    case root(rebuilt: Digest)
}

extension Proof {
    /// Checks the proof for `key` against a root that is trusted. Recomputes every hash; bounds the work first.
    ///
    /// - Returns: whether the key is present, with the hash of its value, or absent.
    /// - Throws: `ProofError` if it proves nothing of this key under this root.
    public func verify(key: [UInt8], root: Digest) throws(ProofError) -> Membership {
        try Self.checkKey(key)
        guard count >= 0, (count == 0) == (leaf == nil) else { throw .count(count) }
        guard let leaf else {
            guard path.isEmpty else { throw .path(step: 0) }
            return try check(.zero, root, .absent)
        }
        try Self.checkKey(leaf.key)
        try checkPath(for: key, leaf: leaf)
        var hash = StateHash.leaf(key: leaf.key, valueHash: leaf.valueHash)
        for step in path.reversed() {
            let isRight = leaf.key.withUnsafeBytes { KeyBits.bit(step.bit, of: $0) } == 1
            hash = StateHash.node(
                bit: step.bit, isRight ? step.sibling : hash, isRight ? hash : step.sibling)
        }
        return try check(hash, root, leaf.key == key ? .present(valueHash: leaf.valueHash) : .absent)
    }

    private func check(_ tree: Digest, _ root: Digest, _ result: Membership) throws(ProofError) -> Membership {
        let rebuilt = StateHash.root(count: count, tree: tree)
        guard rebuilt == root else { throw .root(rebuilt: rebuilt) }
        return result
    }

    static func checkKey(_ key: [UInt8]) throws(ProofError) {
        guard (1...Limits.keyBytesMax).contains(key.count) else { throw .keySize(key.count) }
    }

    /// Bits rise strictly, lie within the leaf's key, and lead the asked key the same way.
    private func checkPath(for key: [UInt8], leaf: Leaf) throws(ProofError) {
        guard path.count <= Limits.keyBitsMax else { throw .path(step: Limits.keyBitsMax) }
        var last = -1
        for (i, step) in path.enumerated() {
            guard step.bit > last, step.bit <= 9 * leaf.key.count else { throw .path(step: i) }
            let asked = key.withUnsafeBytes { KeyBits.bit(step.bit, of: $0) }
            let reached = leaf.key.withUnsafeBytes { KeyBits.bit(step.bit, of: $0) }
            guard asked == reached else { throw .wrongWay(step: i) }
            last = step.bit
        }
    }
}

extension TreeView {
    /// The proof of presence or absence of a key. Requires a view made with hashing and a key within `Limits`.
    public func proof(for key: UnsafeRawBufferPointer) throws(PageError) -> Proof {
        try reading { () throws(PageError) in try makeProof(for: key) }
    }

    private func makeProof(for key: UnsafeRawBufferPointer) throws(PageError) -> Proof {
        precondition(treeDigest != nil, "only a hashed view can prove")
        var path: [Proof.Step] = []
        guard rootSlot != 0 else { return Proof(count: 0, leaf: nil, path: []) }
        var page = pool.page(rootSlot)
        while true {
            let entry = page.walk(for: key) { bit, sibling in path.append(.init(bit: bit, sibling: sibling)) }
            guard page.isChild(entry) else {
                let record = page.record(entry)
                let leaf = Proof.Leaf(key: Array(record.key), valueHash: pool.valueHash(of: record))
                return Proof(count: count, leaf: leaf, path: path)
            }
            page = try pool.child(page, entry)
        }
    }
}

extension Page {
    /// Follows a key's bits to an entry, telling each node's bit and the hash of the side not taken.
    func walk(for key: UnsafeRawBufferPointer, _ visit: (Int, Digest) -> Void) -> Int {
        var link = rootLink
        while !Self.isEntry(link) {
            let gap = gaps[Int(link)]
            let goesRight = KeyBits.bit(Int(gap.bit), of: key) == 1
            visit(Int(gap.bit), hash(below: goesRight ? gap.left : gap.right).pointee)
            link = goesRight ? gap.right : gap.left
        }
        return Int(link & ~Self.entryLinkFlag)
    }
}
