import Hashing
import SeededRandom
import StateTree
import Testing

@Suite struct ProofTests {
    static func sample(_ shape: TreeTests.Shape, seed: UInt64, count: Int = 120) -> (TreeView, [[UInt8]]) {
        var rng = SeededGenerator(seed: seed)
        let tree = Tree(kernel: .scalar)
        var keys: Set<[UInt8]> = []
        for _ in 0..<count {
            let key = TreeTests.key(shape, &rng)
            tree.put(key, rng.bytes(5))
            keys.insert(key)
        }
        return (tree.freeze(hashing: true), keys.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test(arguments: TreeTests.Shape.allCases) func `every honest proof verifies`(shape: TreeTests.Shape) throws {
        var rng = SeededGenerator(seed: 4)
        let (view, keys) = Self.sample(shape, seed: 3)
        for key in keys {
            let expected = Membership.present(valueHash: BLAKE2b.hash(view.value(for: key)!))
            #expect(try view.proof(for: key).verify(key: key, root: view.root!) == expected)
        }
        for _ in 0..<100 {
            let key = TreeTests.key(shape, &rng) + [9]
            guard view.value(for: key) == nil else { continue }
            #expect(try view.proof(for: key).verify(key: key, root: view.root!) == .absent)
        }
    }

    @Test(arguments: TreeTests.Shape.allCases) func `every changed proof is refused`(shape: TreeTests.Shape) {
        let (view, keys) = Self.sample(shape, seed: 5, count: 40)
        let root = view.root!
        for key in keys.prefix(12) {
            let honest = view.proof(for: key)
            var forged: [Proof] = []
            func change(_ edit: (inout Proof) -> Void) {
                var proof = honest
                edit(&proof)
                if proof != honest { forged.append(proof) }
            }
            change { $0.count += 1 }
            change { $0.count = 0 }
            change { $0.count = -1 }
            change { $0.leaf = nil }
            change { $0.leaf!.key[0] ^= 1 }
            change { $0.leaf!.key.append(0) }
            change { $0.leaf!.valueHash.words.2 ^= 4 }
            change { $0.path.append(.init(bit: 9 * key.count, sibling: .zero)) }
            change { $0.path.reverse() }
            for i in honest.path.indices {
                change { $0.path[i].bit += 1 }
                change { $0.path[i].bit -= 1 }
                change { $0.path[i].bit = 1 << 40 }
                change { $0.path[i].sibling.words.0 ^= 1 }
                change { $0.path.remove(at: i) }
                change { $0.path.insert($0.path[i], at: i) }
            }
            for proof in forged { #expect(throws: ProofError.self) { try proof.verify(key: key, root: root) } }
        }
    }

    @Test func `a proof of one key says nothing of another that branches off its path`() throws {
        let (view, keys) = Self.sample(.random, seed: 6)
        var refused = 0
        for other in keys.dropFirst() {
            do {
                let membership = try view.proof(for: keys[0]).verify(key: other, root: view.root!)
                #expect(membership == .absent, "the proof must not be taken for presence")
                Issue.record("a present key was proven absent")
            } catch { refused += 1 }
        }
        #expect(refused == keys.count - 1)
    }

    @Test(arguments: TreeTests.Shape.allCases) func `every honest range proof verifies`(shape: TreeTests.Shape) throws {
        var rng = SeededGenerator(seed: 8)
        let (view, keys) = Self.sample(shape, seed: 7)
        for _ in 0..<120 {
            var from = Bool.random(using: &rng) ? keys.randomElement(using: &rng)! : nil
            var to = Bool.random(using: &rng) ? keys.randomElement(using: &rng)! + [1] : nil
            if let a = from, let b = to, b.lexicographicallyPrecedes(a) { (from, to) = (b, a) }
            let proof = try view.rangeProof(from: from, to: to)
            try proof.verify(from: from, to: to, root: view.root!)
            #expect(proof.rows.map { Pair(key: $0.key, value: $0.value) } == view.pairs(from: from, to: to))
        }
        let empty = Tree(kernel: .scalar).freeze(hashing: true)
        try empty.rangeProof(from: nil, to: nil).verify(from: nil, to: nil, root: empty.root!)
    }

    @Test(arguments: TreeTests.Shape.allCases) func `every changed range proof is refused`(shape: TreeTests.Shape)
        throws
    {
        let (view, keys) = Self.sample(shape, seed: 11, count: 60)
        let (from, to) = (keys[10], keys[20])
        let honest = try view.rangeProof(from: from, to: to)
        try honest.verify(from: from, to: to, root: view.root!)
        var forged: [RangeProof] = []
        func change(_ edit: (inout RangeProof) -> Void) {
            var proof = honest
            edit(&proof)
            if proof != honest { forged.append(proof) }
        }
        change { $0.count += 1 }
        change { $0.before = nil }
        change { $0.after = nil }
        change {
            $0.before = nil
            $0.left = []
        }
        change {
            $0.after = nil
            $0.right = []
        }
        change { $0.before!.valueHash.words.0 ^= 1 }
        change { $0.after!.key.append(0) }
        change { $0.rows.swapAt(2, 3) }
        for i in honest.rows.indices {
            change { $0.rows.remove(at: i) }
            change { $0.rows[i].value.append(0) }
            change { $0.rows.insert($0.rows[i], at: i) }
            change { $0.rows.insert(.init(key: $0.rows[i].key + [0], value: []), at: i + 1) }
        }
        for i in honest.left.indices {
            change { $0.left[i].bit += 1 }
            change { $0.left[i].sibling.words.3 ^= 1 }
            change { $0.left.remove(at: i) }
        }
        for i in honest.right.indices {
            change { $0.right[i].bit += 1 }
            change { $0.right[i].sibling.words.3 ^= 1 }
            change { $0.right.remove(at: i) }
        }
        #expect(forged.count > 40)
        for proof in forged {
            #expect(throws: ProofError.self) { try proof.verify(from: from, to: to, root: view.root!) }
        }
        #expect(throws: ProofError.self) { try honest.verify(from: keys[9], to: to, root: view.root!) }
        #expect(throws: ProofError.self) { try honest.verify(from: from, to: keys[21], root: view.root!) }
        #expect(throws: ProofError.self) { try honest.verify(from: nil, to: to, root: view.root!) }
    }
}
