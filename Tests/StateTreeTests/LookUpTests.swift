import Hashing
import SeededRandom
import StateTree
import Testing

/// Writes of keys that were looked up before.
@Suite struct LookUpTests {
    /// What is done with a key that was looked up.
    private enum Write {
        case put([UInt8])
        case delete

        static func random(_ rng: inout SeededGenerator) -> Write {
            Int.random(in: 0..<4, using: &rng) == 0 ? .delete : .put(TreeTests.value(&rng))
        }
    }

    private static func look(_ tree: Tree, _ keys: [[UInt8]]) throws {
        try tree.lookUp(keys.count) { index in
            // Good for as long as the tree looks at it: the keys live on in the caller's array.
            keys[index].withUnsafeBytes { $0 }
        }
    }

    private static func write(
        _ tree: Tree, _ key: [UInt8], _ write: Write, as index: Int, _ model: inout [[UInt8]: [UInt8]]
    ) throws {
        try key.withUnsafeBytes { bytes in
            switch write {
            case .put(let value):
                try value.withUnsafeBytes { try tree.put(bytes, $0, lookedUpAs: index) }
                model[key] = value
            case .delete:
                let wasThere = try tree.delete(bytes, lookedUpAs: index)
                #expect(wasThere == (model.removeValue(forKey: key) != nil))
            }
        }
    }

    /// Keys that are there and others, in the order that they are written in.
    private static func keys(
        _ shape: TreeTests.Shape, _ model: [[UInt8]: [UInt8]], _ rng: inout SeededGenerator
    ) -> [[UInt8]] {
        let known = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
        return (0..<Int.random(in: 1...Tree.lookUpCountMax, using: &rng)).map { _ in
            Bool.random(using: &rng) ? TreeTests.key(shape, &rng) : known.randomElement(using: &rng) ?? [1]
        }
    }

    @Test(arguments: TreeTests.Shape.allCases, [1, 2])
    func `a key that was looked up is written as any other`(shape: TreeTests.Shape, seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let tree = Tree(kernel: .scalar)
        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<60 {
            let keys = Self.keys(shape, model, &rng)
            try Self.look(tree, keys)
            for (index, key) in keys.enumerated() { try Self.write(tree, key, .random(&rng), as: index, &model) }
            if Bool.random(using: &rng) { #expect(tree.freeze(hashing: true).root == definedRoot(model)) }
        }
        try tree.freeze(hashing: true).checkInvariants()
        #expect(tree.root() == definedRoot(model))
    }

    @Test(arguments: TreeTests.Shape.allCases)
    func `a number that stands for another key, or for one of long ago, does no harm`(shape: TreeTests.Shape) throws {
        var rng = SeededGenerator(seed: 3)
        let tree = Tree(kernel: .scalar)
        var model: [[UInt8]: [UInt8]] = [:]
        for round in 0..<60 {
            let keys = Self.keys(shape, model, &rng)
            if round % 3 == 0 { try Self.look(tree, keys) }
            for key in keys {
                let index = Int.random(in: 0..<Tree.lookUpCountMax, using: &rng)
                try Self.write(tree, key, .random(&rng), as: index, &model)
            }
            if round % 7 == 0 { #expect(tree.freeze(hashing: true).root == definedRoot(model)) }
        }
        #expect(tree.root() == definedRoot(model))
    }

    @Test(arguments: [1, 2]) func `what was looked up and left memory since is read again`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: PagingTests.budget)
        var model: [[UInt8]: [UInt8]] = [:]
        PagingTests.fill(tree, &model, 4000, &rng)
        for _ in 0..<20 {
            _ = try store.snapshot(tree, of: tree.freeze(hashing: true))
            let known = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
            let keys = (0..<20).map { _ in known.randomElement(using: &rng)! }
            try Self.look(tree, keys)
            // Everything is read once, which sends what was looked up out of memory.
            _ = tree.freeze(hashing: false).pairs()
            for (index, key) in keys.enumerated() { try Self.write(tree, key, .put([7]), as: index, &model) }
        }
        try PagingTests.expectSame(tree.freeze(hashing: true), model)
    }
}
