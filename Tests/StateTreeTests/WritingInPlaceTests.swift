import Hashing
import SeededRandom
import StateTree
import Testing

/// A tree whose writer ends without a view, so that it writes pages in their place.
@Suite struct WritingInPlaceTests {
    typealias Growing = HashingBesideTests.Growing

    private static func grow(_ growing: inout Growing, _ round: Int) {
        growing.change(.random(in: 1...60, using: &growing.rng), isShrinking: round % 20 >= 13)
    }

    @Test(arguments: TreeTests.Shape.allCases, [1, 2, 3, 4])
    func `the root at an end is that of the state, and views between show what they showed`(
        shape: TreeTests.Shape, seed: UInt64
    ) throws {
        var growing = Growing(shape, seed: seed)
        var kept: [(view: TreeView, model: [[UInt8]: [UInt8]])] = []
        for round in 0..<200 {
            Self.grow(&growing, round)
            if Int.random(in: 0..<3, using: &growing.rng) > 0 {
                let (end, model) = (growing.tree.end(), growing.model)
                // Written before the end is hashed, and after.
                if Bool.random(using: &growing.rng) { Self.grow(&growing, round) }
                #expect(growing.tree.root(of: end) == definedRoot(model))
                #expect(end.count == model.count)
            } else {
                kept.append((growing.tree.freeze(hashing: Bool.random(using: &growing.rng)), growing.model))
            }
            while kept.count > Int.random(in: 0...3, using: &growing.rng) {
                let (view, model) = kept.removeFirst()
                #expect(view.pairs().map(\.key) == model.keys.sorted { $0.lexicographicallyPrecedes($1) })
                #expect(view.pairs().allSatisfy { model[$0.key] == $0.value })
            }
            if round % 10 == 0 { try growing.tree.freeze(hashing: true).checkInvariants() }
        }
        #expect(growing.tree.root() == definedRoot(growing.model))
    }

    /// With the plain kernel, for the thread sanitizer's sake.
    @Test(arguments: TreeTests.Shape.allCases, [1, 2])
    func `an end is hashed while the writer goes on`(shape: TreeTests.Shape, seed: UInt64) throws {
        var growing = Growing(shape, seed: seed, .scalar)
        let beside = Beside<Digest>()
        for round in 0..<300 {
            Self.grow(&growing, round)
            // A view now and then, which is not hashed until the end before is.
            let view = Int.random(in: 0..<8, using: &growing.rng) == 0 ? growing.tree.freeze(hashing: false) : nil
            let model = growing.model
            if view != nil { Self.grow(&growing, round) }
            if let (root, model) = beside.finish() { #expect(root == definedRoot(model)) }
            if let view { #expect(growing.tree.hash(view).root == definedRoot(model)) }
            let (tree, end) = (growing.tree, growing.tree.end())
            beside.start(growing.model) { tree.root(of: end) }
        }
        if let (root, model) = beside.finish() { #expect(root == definedRoot(model)) }
        try growing.tree.freeze(hashing: true).checkInvariants()
    }

    /// What the writer does while an end is hashed: from the moment on at which all is listed, and as pages are done with.
    @Test(arguments: TreeTests.Shape.allCases, [1, 2, 3, 4])
    func `the writer goes on while what is stale is hashed`(shape: TreeTests.Shape, seed: UInt64) throws {
        var growing = Growing(shape, seed: seed)
        for round in 0..<120 {
            Self.grow(&growing, round)
            if Int.random(in: 0..<8, using: &growing.rng) == 0 {
                // Hashed, and stale again in the same generation.
                #expect(growing.tree.root() == definedRoot(growing.model))
                Self.grow(&growing, round)
            }
            let (end, model) = (growing.tree.end(), growing.model)
            if Int.random(in: 0..<4, using: &growing.rng) == 0 { Self.grow(&growing, round) }
            let tree = growing.tree
            var shown: (view: TreeView, model: [[UInt8]: [UInt8]])?
            let root = tree.root(of: end) {
                growing.change(.random(in: 0...3, using: &growing.rng), isShrinking: round % 20 >= 10)
                guard shown == nil, Int.random(in: 0..<8, using: &growing.rng) == 0 else { return }
                // What was taken over early is shown, and then copied.
                shown = (tree.freeze(hashing: false), growing.model)
                Self.grow(&growing, round)
            }
            #expect(root == definedRoot(model))
            if Bool.random(using: &growing.rng) { Self.grow(&growing, round) }
            if let shown {
                let hashed = tree.hash(shown.view)
                #expect(hashed.root == definedRoot(shown.model))
                Self.grow(&growing, round)
                if round % 4 == 0 { try hashed.checkInvariants() }
            } else if round % 10 == 0 {
                try tree.freeze(hashing: true).checkInvariants()
            }
        }
        #expect(growing.tree.root() == definedRoot(growing.model))
    }

    @Test func `what no view shows is not copied`() {
        let tree = Tree(kernel: .scalar)
        func write(_ round: UInt8) {
            for i in 0..<2000 { tree.put(Array("k\(i)".utf8), Array(repeating: round, count: 100)) }
        }
        write(0)
        _ = tree.root(of: tree.end())
        write(1)
        _ = tree.root(of: tree.end())
        let memory = tree.memoryBytes
        for round in 2..<50 as Range<UInt8> {
            write(round)
            _ = tree.root(of: tree.end())
        }
        #expect(tree.memoryBytes <= memory + memory / 10)
        let view = tree.freeze(hashing: true)
        write(50)
        #expect(tree.memoryBytes > memory + memory / 2)
        #expect(view.value(for: Array("k7".utf8)) == Array(repeating: 49, count: 100))
    }

    /// A few pages may wait until there are more; a long value may be as large as thousands.
    @Test func `what a view held goes once there is no view`() {
        let tree = Tree(kernel: .scalar)
        func end() { _ = tree.root(of: tree.end()) }
        for i in 0..<20_000 { tree.put(Array("k\(i)".utf8), [0]) }
        tree.put(Array("k0".utf8), Array(repeating: 1, count: 1 << 20))
        end()
        let memory = tree.memoryBytes
        var view: TreeView? = tree.freeze(hashing: true)
        tree.put(Array("k0".utf8), [1])
        end()
        #expect(tree.memoryBytes >= memory)
        #expect(view?.value(for: Array("k0".utf8))?.count == 1 << 20)
        view = nil
        end()
        #expect(tree.memoryBytes <= memory - 1 << 20)

        // Each page is copied once, until the writer has looked whether there is a view.
        view = tree.freeze(hashing: true)
        view = nil
        for i in stride(from: 0, to: 20_000, by: 10) {
            tree.put(Array("k\(i)".utf8), [2])
            end()
        }
        #expect(tree.memoryBytes <= memory - 1 << 20 + 100 * 4096)
    }

    /// A page that a snapshot has stored may leave memory and come back as it was.
    @Test func `what a finished snapshot holds is written in its place, and the snapshot stays what it is`() throws {
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        func write(_ round: UInt8, _ keys: Range<Int> = 0..<4000) {
            for i in keys { tree.put(Array("k\(i)".utf8), Array(repeating: round, count: 100)) }
            _ = tree.root(of: tree.end())
        }
        func expect(_ stored: StoredTree, holds round: UInt8) throws {
            let view = try Tree(stored, in: store, budgetBytes: 1 << 16, kernel: .scalar).freeze(hashing: true)
            try view.checkInvariants()
            for i in 0..<4000 { #expect(view.value(for: Array("k\(i)".utf8)) == Array(repeating: round, count: 100)) }
        }
        write(1)
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true))
        // Some hundred pages, after which the writer has looked, and knows that no view is left; then all.
        write(2, 1000..<2000)
        write(2, 1000..<2000)
        let bytesBefore = tree.memoryBytes
        write(2)
        #expect(tree.memoryBytes < bytesBefore * 5 / 4)
        let newer = try store.snapshot(tree, of: tree.freeze(hashing: true)) { write(3, 0..<3) }
        write(3, 1000..<3000)
        write(3)
        try expect(stored, holds: 1)
        try expect(newer, holds: 2)
        try expect(store.snapshot(tree, of: tree.freeze(hashing: true)), holds: 3)
    }

    @Test(arguments: TreeTests.Shape.allCases, [1, 2, 3])
    func `what was overwritten can be put back`(shape: TreeTests.Shape, seed: UInt64) throws {
        var growing = Growing(shape, seed: seed)
        for round in 0..<40 {
            Self.grow(&growing, round)
            let root = growing.tree.root(of: growing.tree.end())
            let overwritten = Overwritten()
            for _ in 0..<Int.random(in: 1...80, using: &growing.rng) {
                let isOld = Bool.random(using: &growing.rng)
                let key = isOld ? growing.model.keys.randomElement(using: &growing.rng) : nil
                let newKey = key ?? TreeTests.key(shape, &growing.rng)
                guard try growing.tree.isNotLong(newKey) else { continue }
                try growing.tree.put(newKey, TreeTests.value(&growing.rng), noting: overwritten)
                if Int.random(in: 0..<20, using: &growing.rng) == 0 { _ = growing.tree.root(of: growing.tree.end()) }
            }
            growing.tree.putBack(overwritten)
            #expect(overwritten.isEmpty)
            #expect(growing.tree.root() == root)
            if round % 10 == 0 { try growing.tree.freeze(hashing: true).checkInvariants() }
        }
        #expect(growing.tree.root() == definedRoot(growing.model))
    }
}

extension Tree {
    /// Whether the way of a key does not end at a long value.
    fileprivate func isNotLong(_ key: [UInt8]) throws -> Bool {
        try key.withUnsafeBytes { key in try lookUp(1) { _ in key } }
    }

    fileprivate func put(_ key: [UInt8], _ value: [UInt8], noting overwritten: Overwritten) throws {
        try key.withUnsafeBytes { key in try value.withUnsafeBytes { try put(key, $0, noting: overwritten) } }
    }
}
