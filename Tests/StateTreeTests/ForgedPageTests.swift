import Hashing
import StateTree
import Testing

/// Stored pages that hash as they should and are no tree's, and what each of them did.
@Suite struct ForgedPageTests {
    private typealias Entry = (bytes: [UInt8], hash: Digest)
    private static let long: [UInt8] = Array(repeating: 7, count: 1000)

    /// A store of these pages, numbered from 1, and of two long values.
    private static func store(_ pages: [[UInt8]]) -> MemoryStore {
        let store = MemoryStore()
        for (i, page) in pages.enumerated() { store.damage(page: UInt64(i) + 1) { _ in page } }
        for id in UInt64(1)...2 { store.damage(longValue: id) { _ in long } }
        return store
    }

    /// A tree whose root page is the first, at the slot of its number, as every page is.
    private static func stored(_ digest: Digest, count: Int = 1, root: UInt32 = 1) -> StoredTree {
        StoredTree(
            count: count, digest: digest, rootPage: UInt64(root), rootSlot: root, slotCount: 9, valueCount: 2,
            freeSlots: [], freeValues: [], lastPage: 8, lastLongValue: 2)
    }

    private static func view(_ stored: StoredTree, in store: MemoryStore) throws -> TreeView {
        try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar).freeze(hashing: true)
    }

    /// What keeps a stored tree from being verified, or from being read: the same, whoever comes first.
    private static func refusal(_ stored: StoredTree, in store: MemoryStore) throws -> String {
        let found = try #require(throws: PageError.self) {
            var verified = VerifiedItems()
            try view(stored, in: store).verifyStored(&verified)
        }
        let met = try #require(throws: PageError.self) {
            try view(stored, in: store).forEach(from: nil, to: nil) { _, _ in true }
        }
        #expect(found == met)
        return found.reason
    }

    // MARK: - Pages of one entry

    /// Their hash is that of the entry, so pages of one could lead round in a ring: look-ups, scans and writes never
    /// ended, and `check` saw nothing.
    @Test func `pages of a single entry cannot make a ring or a chain`() throws {
        let leaf = HostilePageTests.leaf("a", "1")
        func to(_ number: UInt64) -> [UInt8] {
            HostilePageTests.page([HostilePageTests.child(slot: number, id: number, hash: leaf.hash)])
        }
        let single = "it has a single entry, and is not the root"
        let stored = Self.stored(leaf.hash)
        #expect(try Self.refusal(stored, in: Self.store([to(1)])) == "it is its own child")
        #expect(try Self.refusal(stored, in: Self.store([to(2), to(1)])) == single)
        #expect(try Self.refusal(stored, in: Self.store([to(2), to(2)])) == single)
        #expect(try Self.refusal(stored, in: Self.store([to(2), to(3), to(2)])) == single)
        #expect(try Self.refusal(stored, in: Self.store([to(2), HostilePageTests.page([leaf])])) == single)
        // A root's own entry is no fault.
        let honest = try Self.view(stored, in: Self.store([HostilePageTests.page([leaf])]))
        #expect(honest.value(for: Array("a".utf8)) == Array("1".utf8))
    }

    @Test func `a page of a single entry that was sound as a root is not sound below another`() throws {
        let (a, b) = (HostilePageTests.leaf("a", "1"), HostilePageTests.leaf("b", "2"))
        let root = HostilePageTests.page([HostilePageTests.child(slot: 1, id: 1, hash: a.hash), b], bit: 7)
        let store = Self.store([HostilePageTests.page([a]), root])
        var verified = VerifiedItems()
        try Self.view(Self.stored(a.hash), in: store).verifyStored(&verified)
        #expect(throws: PageError.self) {
            let later = Self.stored(StateHash.node(bit: 7, a.hash, b.hash), count: 2, root: 2)
            try Self.view(later, in: store).verifyStored(&verified)
        }
    }

    /// What honest trees have: a root page that is left with a child which nobody had read.
    @Test func `a root with a single child is stored, and read again`() throws {
        let store = MemoryStore()
        let first = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        for i in 0..<40 { model[[UInt8(i % 2 * 255), UInt8(i)]] = Array(repeating: 3, count: 90) }
        for (key, value) in model { first.put(key, value) }
        let whole = try store.snapshot(first, of: first.freeze(hashing: true))
        let tree = try Tree(whole, in: store, budgetBytes: .max, kernel: .scalar)
        for key in model.keys where key[0] == 0 {
            model[key] = nil
            #expect(tree.delete(key))
        }
        let left = try store.snapshot(tree, of: tree.freeze(hashing: true))
        #expect(try store.page(left.rootPage)[2..<4] == [1, 0])
        #expect(left.isSound)
        var verified = VerifiedItems()
        for stored in [whole, left] { try Self.view(stored, in: store).verifyStored(&verified) }
        try PagingTests.expectSame(Self.view(left, in: store), model)
    }

    // MARK: - Numbers that no hash covers

    /// A number of 2^63 or more ended the process when it was looked for in the state file, and a child without one
    /// when the next snapshot took it for a page that was still to be stored.
    @Test(arguments: [0, 1 << 62, 1 << 63, .max] as [UInt64])
    func `a page that refers to what has no number is refused`(id: UInt64) throws {
        let (a, b) = (HostilePageTests.leaf("a", "1"), HostilePageTests.leaf("b", "2"))
        let value = HostilePageTests.long("b", Self.long, id: id)
        let child = HostilePageTests.child(slot: 2, id: id, hash: b.hash)
        for entry in [value, child] {
            let stored = Self.stored(StateHash.node(bit: 7, a.hash, entry.hash), count: 2)
            let store = Self.store([HostilePageTests.page([a, entry], bit: 7)])
            #expect(try Self.refusal(stored, in: store) == "it refers to what has no number")
        }
    }

    // MARK: - Long values that two leaves share

    /// A root with a page for each of two leaves, and a short leaf beside each.
    private static func twoPages(_ first: Entry, _ second: Entry) -> (stored: StoredTree, store: MemoryStore) {
        let (a, b) = (HostilePageTests.leaf("a2", "1"), HostilePageTests.leaf("b2", "1"))
        let (low, high) = (StateHash.node(bit: 16, first.hash, a.hash), StateHash.node(bit: 16, second.hash, b.hash))
        let children = [
            HostilePageTests.child(slot: 2, id: 2, hash: low), HostilePageTests.child(slot: 3, id: 3, hash: high),
        ]
        let store = store([
            HostilePageTests.page(children, bit: 7), HostilePageTests.page([first, a], bit: 16),
            HostilePageTests.page([second, b], bit: 16),
        ])
        return (stored(StateHash.node(bit: 7, low, high), count: 4), store)
    }

    /// The hashes of equal values are equal, so a leaf could refer to another's: when that one was written, its value
    /// went, and the leaf that was left showed what took its place.
    @Test func `a long value belongs to one leaf`() throws {
        let (a, b) = (HostilePageTests.long("a1", Self.long), HostilePageTests.long("b1", Self.long, as: 1, id: 2))
        let honest = Self.twoPages(a, b)
        #expect(try Self.view(honest.stored, in: honest.store).pairs().count == 4)
        let forged = Self.twoPages(a, HostilePageTests.long("b1", Self.long))
        #expect(forged.stored == honest.stored)
        #expect(
            try Self.refusal(forged.stored, in: forged.store) == "its number 0 stands for another already")
        // Also where both are in one page.
        let root = Self.stored(StateHash.node(bit: 7, a.hash, b.hash), count: 2)
        let store = Self.store([HostilePageTests.page([a, HostilePageTests.long("b1", Self.long)], bit: 7)])
        #expect(try Self.refusal(root, in: store) == "its number 0 stands for another already")
    }

    @Test func `one long value in the store is not that of two leaves, in one snapshot or in two`() throws {
        let a = HostilePageTests.long("a1", Self.long)
        let forged = Self.twoPages(a, HostilePageTests.long("b1", Self.long, as: 1))
        #expect(throws: PageError.self) {
            var verified = VerifiedItems()
            try Self.view(forged.stored, in: forged.store).verifyStored(&verified)
        }
        let other = HostilePageTests.long("b1", Self.long)
        let store = Self.store([HostilePageTests.page([a]), HostilePageTests.page([other])])
        var verified = VerifiedItems()
        try Self.view(Self.stored(a.hash), in: store).verifyStored(&verified)
        #expect(throws: PageError.self) {
            try Self.view(Self.stored(other.hash, root: 2), in: store).verifyStored(&verified)
        }
    }
}
