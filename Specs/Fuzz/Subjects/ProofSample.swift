import Hashing
import StateTree

/// States of which anything may be asked, with all that an adversary who has them could build proofs from.
struct ProofSample {
    let view: TreeView
    let root: Digest
    let keys: [[UInt8]]
    /// Keys that are there, and keys beside each that are not.
    let asked: [[UInt8]]
    /// All values, each once.
    let values: [[UInt8]]
    /// The hashes of all values and of all subtrees, each once.
    let digests: [Digest]

    /// No key, one, and two dozen.
    static let all = [
        ProofSample([]), ProofSample(["only"]),
        ProofSample(
            ["a", "aa", "ab", "b", "ba", "\0", "\0\0", "\u{7f}", "é", "key 1", "key 10", "key 2"]
                + (0..<12).map { "\($0)\($0 * $0)" } + [String(repeating: "k", count: 60)]),
    ]

    private init(_ names: [String]) {
        keys = names.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) }
        asked = keys + keys.map { $0 + [0] } + [[0x01], [0xFF, 0xFF], Array("abc".utf8)]
        let tree = Tree(kernel: .scalar)
        values = keys.isEmpty ? [[]] : [[], Array("value".utf8), [0xFF, 0]]
        for (index, key) in keys.enumerated() {
            let value = values[index % values.count]
            // Without a store no page can be missing.
            key.withUnsafeBytes { key in value.withUnsafeBytes { try! tree.put(key, $0) } }
        }
        view = tree.freeze(hashing: true)
        root = view.root!
        var digests = values.map { BLAKE2b.hash($0) }
        for key in keys {
            let siblings = view.proof(of: key).path.map(\.sibling)
            digests += siblings.filter { !digests.contains($0) }
        }
        self.digests = digests
    }

    /// A key's bit, by the definition.
    static func isSet(_ bit: Int, of key: [UInt8]) -> Bool {
        guard bit / 9 < key.count else { return false }
        return bit % 9 == 0 || key[bit / 9] >> UInt8(8 - bit % 9) & 1 == 1
    }
}

extension TreeView {
    /// The proof from a tree that is all in memory.
    func proof(of key: [UInt8]) -> Proof { try! key.withUnsafeBytes { try proof(for: $0) } }
}
