import Hashing
import SeededRandom
import StateTree
import Testing

/// Trees that were built in one go.
@Suite struct TreeBuilderTests {
    /// Builds a tree of pairs in the order of their keys; some keys come without a value.
    private static func build(_ model: [[UInt8]: [UInt8]], leavingOut keys: [[UInt8]] = []) -> Tree {
        let tree = Tree(kernel: .scalar)
        var pairs = model.map { (key: $0.key, value: Optional($0.value)) }
        pairs += keys.filter { model[$0] == nil }.map { (key: $0, value: nil) }
        pairs.sort { $0.key.lexicographicallyPrecedes($1.key) }
        var places: [(key: Int, keyCount: Int, valueCount: Int?)] = []
        var bytes: [UInt8] = []
        for (key, value) in pairs {
            places.append((bytes.count, key.count, value?.count))
            bytes += key + (value ?? [])
        }
        bytes.withUnsafeBytes { bytes in
            tree.build(places.count) { i in
                UnsafeRawBufferPointer(rebasing: bytes[places[i].key..<(places[i].key + places[i].keyCount)])
            } value: { i in
                guard let count = places[i].valueCount else { return nil }
                let start = places[i].key + places[i].keyCount
                return UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])
            } onRoomDue: {
            }
        }
        return tree
    }

    private static func model(_ shape: TreeTests.Shape, _ count: Int, _ rng: inout SeededGenerator) -> [[UInt8]:
        [UInt8]]
    {
        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<count { model[TreeTests.key(shape, &rng)] = TreeTests.value(&rng) }
        return model
    }

    @Test(arguments: TreeTests.Shape.allCases, [0, 1, 2, 3, 10, 50, 400, 3000])
    func `a tree that is built is the tree of its pairs, and goes on as one`(shape: TreeTests.Shape, count: Int) throws
    {
        var rng = SeededGenerator(seed: UInt64(count))
        var model = Self.model(shape, count, &rng)
        let tree = Self.build(model, leavingOut: (0..<20).map { _ in TreeTests.key(shape, &rng) })
        let view = tree.freeze(hashing: true)
        try view.checkInvariants()
        #expect(view.root == definedRoot(model))
        #expect(view.pairs() == TreeTests.sorted(model))
        for _ in 0..<300 {
            let key = TreeTests.key(shape, &rng)
            if Bool.random(using: &rng) {
                #expect(tree.delete(key) == (model.removeValue(forKey: key) != nil))
            } else {
                model[key] = TreeTests.value(&rng)
                tree.put(key, model[key]!)
            }
        }
        let later = tree.freeze(hashing: true)
        try later.checkInvariants()
        #expect(later.root == definedRoot(model))
    }

    @Test(arguments: TreeTests.Shape.allCases)
    func `a tree that is built takes no more memory than one that grew`(shape: TreeTests.Shape) {
        var rng = SeededGenerator(seed: 1)
        let model = Self.model(shape, 5000, &rng)
        let grown = Tree(kernel: .scalar)
        for (key, value) in model.sorted(by: { $0.value.count < $1.value.count }) { grown.put(key, value) }
        #expect(Self.build(model).memoryBytes <= grown.memoryBytes * 11 / 10)
    }
}
