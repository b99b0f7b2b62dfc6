import Hashing
import SeededRandom
import StateTree
import Testing

/// What two states differ in, found by their hashes.
@Suite struct DifferenceTests {
    private static func differences(_ a: TreeView, _ b: TreeView) throws -> [[[UInt8]?]] {
        var found: [[[UInt8]?]] = []
        try b.forEachDifference(from: a) { key, old, new in
            found.append([Array(key), old.map { Array($0) }, new.map { Array($0) }])
            return true
        }
        return found
    }

    @Test(arguments: TreeTests.Shape.allCases, [1, 2, 3])
    func `a difference is what differs, in order, whatever the trees' histories`(
        shape: TreeTests.Shape, seed: UInt64
    ) throws {
        var rng = SeededGenerator(seed: seed)
        let (first, second) = (Tree(kernel: .scalar), Tree(kernel: .scalar))
        var models: [[[UInt8]: [UInt8]]] = [[:], [:]]
        for _ in 0..<300 {
            let (key, value) = (TreeTests.key(shape, &rng), TreeTests.value(&rng))
            for i in 0...1 where Int.random(in: 0..<8, using: &rng) > 0 {
                models[i][key] = rng.oneIn(10) ? TreeTests.value(&rng) : value
            }
        }
        for (tree, model) in zip([first, second], models) {
            for (key, value) in model { tree.put(key, value) }
        }
        let expected = Set(models[0].keys).union(models[1].keys)
            .filter { models[0][$0] != models[1][$0] }.sorted { $0.lexicographicallyPrecedes($1) }
            .map { [$0, models[0][$0], models[1][$0]] }
        let (a, b) = (first.freeze(hashing: true), second.freeze(hashing: true))
        #expect(try Self.differences(a, b) == expected)
        #expect(try Self.differences(a, a).isEmpty)
        let empty = Tree(kernel: .scalar).freeze(hashing: true)
        #expect(try Self.differences(empty, b).count == models[1].count)
        #expect(try Self.differences(b, empty).count == models[1].count)
    }

    @Test func `a difference costs what differs, not what there is`() throws {
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        for i in 0..<20_000 { tree.put(Array("key \(i)".utf8), Array(repeating: 1, count: 100)) }
        let before = try store.snapshot(tree, of: tree.freeze(hashing: true))
        for i in [5, 777, 19_999] { tree.put(Array("key \(i)".utf8), [2]) }
        let after = try store.snapshot(tree, of: tree.freeze(hashing: true))
        let (a, b) = (
            try Tree(before, in: store, budgetBytes: .max, kernel: .scalar),
            try Tree(after, in: store, budgetBytes: .max, kernel: .scalar)
        )
        let readBefore = store.readCount
        #expect(try Self.differences(a.freeze(hashing: true), b.freeze(hashing: true)).count == 3)
        #expect(store.readCount - readBefore < 60, "of \(store.pageIDs.count) pages")
    }
}
