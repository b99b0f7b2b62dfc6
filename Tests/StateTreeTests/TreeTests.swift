import Hashing
import SeededRandom
import StateTree
import Testing

@Suite struct TreeTests {
    /// Key shapes that stress different corners: chains of prefixes, dense bytes, long keys, sequences, random.
    enum Shape: CaseIterable { case prefixes, dense, long, sequential, random }

    static func key(_ shape: Shape, _ rng: inout SeededGenerator) -> [UInt8] {
        switch shape {
        case .prefixes: Array(repeating: 0x61, count: .random(in: 1...300, using: &rng))
        case .dense: rng.bytes(.random(in: 1...2, using: &rng))
        case .long:
            Array(repeating: 7, count: .random(in: 900...1000, using: &rng))
                + rng.bytes(.random(in: 0...24, using: &rng))
        case .sequential: Array("user:\(1000 + Int.random(in: 0...2000, using: &rng))".utf8)
        case .random: rng.bytes(.random(in: 1...40, using: &rng))
        }
    }

    static func value(_ rng: inout SeededGenerator) -> [UInt8] {
        let sizes = [0...8, 90...110, 0...300, 700...800, 760...5000]
        return Array(
            repeating: UInt8.random(in: 0...255, using: &rng),
            count: .random(in: sizes.randomElement(using: &rng)!, using: &rng))
    }

    @Test(arguments: Shape.allCases, [1, 2, 3])
    func `a tree is what its pairs say, whatever the history`(shape: Shape, seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let tree = Tree(kernel: HashKernel.allCases.filter(\.isSupported).randomElement(using: &rng)!)
        var model: [[UInt8]: [UInt8]] = [:]
        var kept: [(TreeView, [[UInt8]: [UInt8]])] = []
        for round in 0..<60 {
            for _ in 0..<Int.random(in: 1...80, using: &rng) {
                let key = Self.key(shape, &rng)
                let isShrinking = round % 20 >= 13
                if Int.random(in: 0..<10, using: &rng) < (isShrinking ? 8 : 2) {
                    let victim =
                        Bool.random(using: &rng) ? model.keys.min { $0.lexicographicallyPrecedes($1) } ?? key : key
                    #expect(tree.delete(victim) == (model.removeValue(forKey: victim) != nil))
                } else {
                    let value = Self.value(&rng)
                    tree.put(key, value)
                    model[key] = value
                }
                if Int.random(in: 0..<40, using: &rng) == 0 { kept.append((tree.freeze(hashing: false), model)) }
            }
            let view = tree.freeze(hashing: true)
            #expect(view.root == definedRoot(model))
            #expect(view.count == model.count)
            if round % 6 == 0 { try view.checkInvariants() }
            kept.append((view, model))
            while kept.count > 12 { kept.remove(at: .random(in: 0..<kept.count, using: &rng)) }
        }
        for (view, model) in kept {
            try view.checkInvariants()
            #expect(view.pairs() == Self.sorted(model))
            for (key, value) in model { #expect(view.value(for: key) == value) }
            #expect(view.value(for: Self.key(.random, &rng) + [1, 2, 3]) == nil)
        }
    }

    @Test func `deleting every key leaves the empty root`() {
        let tree = Tree(kernel: .scalar)
        for i in 0..<2000 { tree.put(Array("k\(i)".utf8), [1]) }
        #expect(tree.freeze(hashing: true).count == 2000)
        for i in (0..<2000).shuffled() { #expect(tree.delete(Array("k\(i)".utf8))) }
        let view = tree.freeze(hashing: true)
        #expect(view.root == StateHash.root(count: 0, tree: .zero))
        #expect(view.pairs().isEmpty)
    }

    @Test func `a tree that goes back to a view is that view again`() throws {
        let tree = Tree(kernel: .scalar)
        for i in 0..<500 { tree.put(Array("k\(i)".utf8), [1]) }
        let before = tree.freeze(hashing: true)
        for i in 0..<900 { tree.put(Array("k\(i)".utf8), [2]) }
        _ = tree.freeze(hashing: false)
        tree.revert(to: before)
        let after = tree.freeze(hashing: true)
        #expect(after.root == before.root)
        try after.checkInvariants()
        tree.put([1], [1])
        try tree.freeze(hashing: true).checkInvariants()
        #expect(before.value(for: [1]) == nil)
    }

    @Test func `memory of views that are gone is used again`() {
        let tree = Tree(kernel: .scalar)
        for i in 0..<20_000 { tree.put(Array("key \(i)".utf8), Array(repeating: 1, count: 100)) }
        _ = tree.freeze(hashing: true)
        let before = tree.memoryBytes
        for round in 0..<50 {
            for i in 0..<400 { tree.put(Array("key \(i * 50)".utf8), Array(repeating: UInt8(round), count: 100)) }
            _ = tree.freeze(hashing: true)
        }
        #expect(tree.memoryBytes < before * 2)
    }

    @Test(arguments: Shape.allCases) func `ranges hold what lies in them, both ways`(shape: Shape) {
        var rng = SeededGenerator(seed: 9)
        let tree = Tree(kernel: .scalar)
        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<400 {
            let key = Self.key(shape, &rng)
            tree.put(key, [1])
            model[key] = [1]
        }
        let view = tree.freeze(hashing: false)
        let all = Self.sorted(model)
        for _ in 0..<400 {
            let from = Bool.random(using: &rng) ? Self.key(shape, &rng) : nil
            let to = Bool.random(using: &rng) ? Self.key(shape, &rng) : nil
            let expected = all.filter { pair in
                (from.map { !pair.key.lexicographicallyPrecedes($0) } ?? true)
                    && (to.map { pair.key.lexicographicallyPrecedes($0) } ?? true)
            }
            #expect(view.pairs(from: from, to: to) == expected)
            #expect(view.pairs(from: from, to: to, reversed: true) == expected.reversed())
        }
    }

    @Test(arguments: Shape.allCases) func `two views differ in a range exactly where their pairs do`(shape: Shape) {
        var rng = SeededGenerator(seed: 10)
        let tree = Tree(kernel: .scalar)
        for _ in 0..<600 { tree.put(Self.key(shape, &rng), [1]) }
        for _ in 0..<60 {
            let before = tree.freeze(hashing: false)
            for _ in 0..<Int.random(in: 0...3, using: &rng) {
                if Bool.random(using: &rng) {
                    tree.put(Self.key(shape, &rng), rng.bytes(1))
                } else {
                    _ = tree.delete(Self.key(shape, &rng))
                }
            }
            let after = tree.freeze(hashing: false)
            for _ in 0..<10 {
                let from = Bool.random(using: &rng) ? Self.key(shape, &rng) : nil
                let to = Bool.random(using: &rng) ? Self.key(shape, &rng) : nil
                let expected = before.pairs(from: from, to: to) != after.pairs(from: from, to: to)
                #expect(after.differs(from: before, from, to) == expected)
            }
        }
    }

    static func sorted(_ model: [[UInt8]: [UInt8]]) -> [Pair] {
        model.map { Pair(key: $0.key, value: $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}
