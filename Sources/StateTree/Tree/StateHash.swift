public import Hashing

/// The hashes of the root's definition, version 1, one at a time. `H` is BLAKE2b-256, integers are big-endian.
public enum StateHash {
    /// `leaf(k, v) = H(0x00 ‖ u32(len k) ‖ k ‖ H(v))`
    public static func leaf(key: some Collection<UInt8>, valueHash: Digest) -> Digest {
        BLAKE2b.hash([0x00] + bigEndian(UInt32(key.count)) + key + valueHash.bytes)
    }

    /// `node(b, L, R) = H(0x01 ‖ u32(b) ‖ L ‖ R)`
    public static func node(bit: Int, _ left: Digest, _ right: Digest) -> Digest {
        BLAKE2b.hash([0x01] + bigEndian(UInt32(bit)) + left.bytes + right.bytes)
    }

    /// `root(S) = H(0x02 ‖ 0x01 ‖ u64(count) ‖ tree(S))`; the tree of no keys is 32 zero bytes.
    public static func root(count: Int, tree: Digest) -> Digest {
        BLAKE2b.hash([0x02, 0x01] + bigEndian(UInt64(count)) + tree.bytes)
    }

    private static func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}

/// Builds the hash of a tree from its leaves in key order, without a tree: a stack over first-difference bits.
///
/// This is the definition turned into a loop. `check` and the specs compare the tree against it, and a range proof
/// is rebuilt with it.
public struct RootBuilder {
    private var open: [(bit: Int, hash: Digest)] = []
    private var last: Digest?
    private var lastKey: [UInt8] = []
    public private(set) var count = 0

    public init() {}

    /// Adds the next leaf. Requires rising keys.
    public mutating func add(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if count > 0 {
            let bit = lastKey.withUnsafeBytes { KeyBits.firstDifference($0, key) }
            guard let bit, KeyBits.bit(bit, of: key) == 1 else { preconditionFailure("keys must rise") }
            _ = join(at: bit)
        }
        lastKey.removeAll(keepingCapacity: true)
        lastKey.append(contentsOf: key)
        last = StateHash.leaf(key: key, valueHash: BLAKE2b.hash(value))
        count += 1
    }

    /// The root over what was added.
    public consuming func root() -> Digest {
        StateHash.root(count: count, tree: tree() ?? .zero)
    }

    // MARK: - A sequence of subtrees with the bits between them

    /// Adds a finished subtree. Requires a `join` since the one before it.
    mutating func add(subtree: Digest) { last = subtree }

    /// Sets the bit between the subtree added last and the one to come; false if no tree has these bits.
    mutating func join(at bit: Int) -> Bool {
        guard var hash = last else { return false }
        while let top = open.last, top.bit > bit {
            open.removeLast()
            hash = StateHash.node(bit: top.bit, top.hash, hash)
        }
        if let top = open.last, top.bit == bit { return false }
        open.append((bit, hash))
        last = nil
        return true
    }

    consuming func tree() -> Digest? {
        guard var hash = last else { return nil }
        while let top = open.popLast() { hash = StateHash.node(bit: top.bit, top.hash, hash) }
        return hash
    }
}
