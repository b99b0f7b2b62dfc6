import Hashing
import SeededRandom
import StateTree
import Testing

/// Views that are hashed after the tree has gone on, or while it does.
@Suite struct HashingBesideTests {
    /// A tree with what it should hold.
    struct Growing {
        var rng: SeededGenerator
        let tree: Tree
        var model: [[UInt8]: [UInt8]] = [:]
        let shape: TreeTests.Shape

        /// - Parameter kernel: any, if none is given.
        init(_ shape: TreeTests.Shape, seed: UInt64, _ kernel: HashKernel? = nil) {
            rng = SeededGenerator(seed: seed)
            tree = Tree(kernel: kernel ?? HashKernel.allCases.filter(\.isSupported).randomElement(using: &rng)!)
            self.shape = shape
        }

        mutating func change(_ count: Int, isShrinking: Bool) {
            for _ in 0..<count {
                let key = TreeTests.key(shape, &rng)
                if Int.random(in: 0..<10, using: &rng) < (isShrinking ? 8 : 2) {
                    let victim = model.keys.randomElement(using: &rng) ?? key
                    #expect(tree.delete(victim) == (model.removeValue(forKey: victim) != nil))
                } else {
                    let value = TreeTests.value(&rng)
                    tree.put(key, value)
                    model[key] = value
                }
            }
        }
    }

    @Test(arguments: TreeTests.Shape.allCases, [1, 2, 3, 4])
    func `a view that is hashed late has its root`(shape: TreeTests.Shape, seed: UInt64) throws {
        var growing = Growing(shape, seed: seed)
        var waiting: [(view: TreeView, model: [[UInt8]: [UInt8]])] = []
        for round in 0..<120 {
            growing.change(.random(in: 1...60, using: &growing.rng), isShrinking: round % 20 >= 13)
            waiting.append((growing.tree.freeze(hashing: false), growing.model))
            while waiting.count > Int.random(in: 0...4, using: &growing.rng) {
                let (view, model) = waiting.removeFirst()
                let hashed = growing.tree.hash(view)
                #expect(hashed.root == definedRoot(model))
                #expect(hashed.generation == view.generation)
                if round % 10 == 0 { try hashed.checkInvariants() }
            }
            guard waiting.isEmpty, round % 7 == 0 else { continue }
            #expect(growing.tree.freeze(hashing: true).root == definedRoot(growing.model))
        }
        for (view, model) in waiting { #expect(growing.tree.hash(view).root == definedRoot(model)) }
        try growing.tree.freeze(hashing: true).checkInvariants()
    }

    /// Hashing an empty tree cleared the marks of the pages that the hashing before had seen, though others' content lay in
    /// their frames by then, which was still to be hashed.
    @Test func `hashing an empty tree leaves a view alone that waits to be hashed`() {
        let tree = Tree(kernel: .scalar)
        tree.put([1], [1])
        _ = tree.freeze(hashing: true)
        tree.put([2], [2])
        _ = tree.freeze(hashing: false)
        tree.put([3], [3])
        let view = tree.freeze(hashing: false)
        for key in 1...3 as ClosedRange<UInt8> { #expect(tree.delete([key])) }
        #expect(tree.root() == definedRoot([:]))
        #expect(tree.hash(view).root == definedRoot([[1]: [1], [2]: [2], [3]: [3]]))
    }

    @Test func `hashing a view again, or one of the same state, gives the same root`() {
        let tree = Tree(kernel: .scalar)
        for i in 0..<500 { tree.put(Array("k\(i)".utf8), [1]) }
        let view = tree.freeze(hashing: false)
        let root = tree.hash(view).root
        #expect(tree.hash(view).root == root)
        #expect(tree.hash(tree.freeze(hashing: false)).root == root)
        #expect(tree.freeze(hashing: true).root == root)
        #expect(tree.root() == root)
    }

    @Test func `a view that was hashed keeps its pages once the one it was made of is gone`() throws {
        let tree = Tree(kernel: .scalar)
        for i in 0..<2000 { tree.put(Array("k\(i)".utf8), Array(repeating: 1, count: 100)) }
        let hashed = tree.hash(tree.freeze(hashing: false))
        for round in 0..<20 {
            for i in 0..<2000 { tree.put(Array("k\(i)".utf8), Array(repeating: UInt8(round), count: 100)) }
            _ = tree.freeze(hashing: true)
        }
        try hashed.checkInvariants()
        #expect(hashed.value(for: Array("k7".utf8)) == Array(repeating: 1, count: 100))
    }

    /// With the plain kernel, for the thread sanitizer's sake.
    @Test(arguments: TreeTests.Shape.allCases)
    func `a view is hashed while the writer goes on`(shape: TreeTests.Shape) throws {
        var growing = Growing(shape, seed: 7, .scalar)
        let beside = Beside<TreeView>()
        for round in 0..<150 {
            growing.change(.random(in: 1...80, using: &growing.rng), isShrinking: round % 30 >= 20)
            // One view at a time is being hashed, as one flush at a time is on its way to the disk.
            if let (view, model) = beside.finish() { #expect(view.root == definedRoot(model)) }
            let (tree, view) = (growing.tree, growing.tree.freeze(hashing: false))
            beside.start(growing.model) { tree.hash(view) }
        }
        if let (view, model) = beside.finish() {
            #expect(view.root == definedRoot(model))
            try view.checkInvariants()
        }
        let last = growing.tree.freeze(hashing: true)
        #expect(last.root == definedRoot(growing.model))
        try last.checkInvariants()
    }
}
