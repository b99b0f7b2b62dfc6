import Hashing
import SeededRandom
import StateTree
import Testing

/// What a tree tells its store of the pages and long values that it does not need any more.
@Suite struct DroppedTests {
    @Test func `what a tree dropped is what only its older snapshots need`() throws {
        try expectNothingLeft()
    }

    /// What was written between a snapshot's barrier and the numbering of its pages was told as dropped before it had a
    /// number: so it stayed in the store for good, at every snapshot of a busy tree.
    @Test func `what is written while a snapshot is under way is dropped by the next`() throws {
        var rng = SeededGenerator(seed: 7)
        try expectNothingLeft { tree, model in
            // More generations than a view is waited for.
            for _ in 0..<20 {
                PagingTests.fill(tree, &model, 3, &rng)
                _ = tree.freeze(hashing: true)
            }
        }
    }

    /// What is stored is written in its place then, in memory that is too small for all.
    @Test func `what is written in its place is dropped by the next snapshot`() throws {
        var rng = SeededGenerator(seed: 8)
        try expectNothingLeft(then: { tree, model in
            for _ in 0..<20 {
                PagingTests.fill(tree, &model, 30, &rng)
                _ = tree.root(of: tree.end())
            }
        })
    }

    /// Takes snapshots of which only the newest is kept, and looks that the store then holds what that one shows.
    ///
    /// - Parameters:
    ///   - meanwhile: what is written while a snapshot is under way.
    ///   - then: what is written after it.
    private func expectNothingLeft(
        _ meanwhile: (Tree, inout [[UInt8]: [UInt8]]) -> Void = { _, _ in },
        then: (Tree, inout [[UInt8]: [UInt8]]) -> Void = { _, _ in }
    ) throws {
        var rng = SeededGenerator(seed: 6)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: PagingTests.budget)
        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<10 {
            PagingTests.fill(tree, &model, 400, &rng)
            _ = try store.snapshot(tree, of: tree.freeze(hashing: true), keepsOld: false) { meanwhile(tree, &model) }
            then(tree, &model)
        }
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true), keepsOld: false)
        // Nothing that is needed is missing, and nothing is left that no page refers to.
        let reopened = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
        try PagingTests.expectSame(reopened.freeze(hashing: true), model)
        let readOnce = store.readCount
        let again = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
        try again.freeze(hashing: true).checkInvariants()
        #expect(store.readCount - readOnce == store.pageIDs.count + store.longValueIDs.count)
    }
}
