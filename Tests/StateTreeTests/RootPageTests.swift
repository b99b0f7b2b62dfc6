import Hashing
import SeededRandom
import StateTree
import Testing

/// The page that every look-up begins with.
@Suite struct RootPageTests {
    /// A page that became the root while the first snapshot that holds it was under way counted as stored once that was
    /// taken, like any other. So it could leave memory, and who came to it looped.
    @Test(.timeLimit(.minutes(1)))
    func `a page that becomes the root while its snapshot is taken stays in memory`() throws {
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: PagingTests.budget)
        func key(_ i: Int) -> [UInt8] { [0x01, UInt8(i / 256), UInt8(i % 256)] }
        let others = (0..<20).map { [0x80, UInt8($0)] as [UInt8] }
        for i in 0..<4000 { tree.put(key(i), [UInt8](repeating: 1, count: 60)) }
        for other in others { tree.put(other, [UInt8](repeating: 1, count: 60)) }
        _ = try store.snapshot(tree, of: tree.freeze(hashing: true))
        tree.put(others[0], [UInt8](repeating: 2, count: 60))
        let before = tree.freeze(hashing: true)
        _ = try store.snapshot(tree, of: before) {
            for i in 0..<4000 { #expect(tree.delete(key(i))) }
        }
        #expect(tree.count == others.count)
        // What is not in use leaves for what is read.
        for _ in 0..<5 {
            for i in 0..<4000 { #expect(before.value(for: key(i)) != nil) }
        }
        #expect(store.readCount > 1000)
        tree.put(others[1], [UInt8](repeating: 3, count: 60))
        let view = tree.freeze(hashing: true)
        try view.checkInvariants()
        #expect(view.value(for: others[1]) == [UInt8](repeating: 3, count: 60))
    }
}
