import Hashing
import SeededRandom
import StateTree
import Testing

/// Stored pages that no tree wrote, with checksums that fit: what the hash does not bind, their numbers, is checked too.
@Suite struct HostilePageTests {
    /// A stored tree of a few small pages and long values, and what it holds.
    private static func sample() throws -> (store: MemoryStore, stored: StoredTree, pairs: [Pair]) {
        var rng = SeededGenerator(seed: 11)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        for i in 0..<60 { tree.put(rng.bytes(3), rng.bytes(i % 15 == 0 ? 800 : 2)) }
        let view = tree.freeze(hashing: true)
        return (store, try store.snapshot(tree, of: view), view.pairs())
    }

    /// What reading all of a stored tree finds.
    private static func read(_ stored: StoredTree, in store: MemoryStore) throws -> [Pair] {
        var pairs: [Pair] = []
        let tree = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
        try tree.freeze(hashing: true).forEach(from: nil, to: nil) { key, value in
            pairs.append(Pair(key: Array(key), value: Array(value)))
            return true
        }
        return pairs
    }

    private static func withChecksum(_ bytes: [UInt8]) -> [UInt8] {
        let crc = bytes.withUnsafeBytes { CRC32C.checksum($0) }
        return bytes + (0..<4).map { UInt8(truncatingIfNeeded: crc >> (8 * $0)) }
    }

    @Test func `a page with any bit changed, or of any other length, is refused`() throws {
        let (store, stored, pairs) = try Self.sample()
        #expect(try Self.read(stored, in: store) == pairs)
        var refusals: [String: Int] = [:]
        func tryPage(_ id: UInt64, _ content: [UInt8]) {
            store.damage(page: id) { _ in Self.withChecksum(content) }
            do {
                _ = try Self.read(stored, in: store)
                Issue.record("page \(id) is taken for the honest one")
            } catch let error as PageError {
                refusals[error.reason.filter { !$0.isNumber }, default: 0] += 1
            } catch {
                Issue.record(error)
            }
        }
        for id in store.pageIDs {
            let honest = try store.page(id)
            let content = Array(honest.dropLast(4))
            for position in content.indices {
                for bit in 0..<8 {
                    var other = content
                    other[position] ^= 1 << UInt8(bit)
                    tryPage(id, other)
                }
                tryPage(id, Array(content.prefix(position)))
            }
            tryPage(id, content + [0])
            store.damage(page: id) { _ in honest }
        }
        for reason in [
            "it is too short", "its format is unknown", "it has  entries", "it has a bit beyond every key",
            "it ends in an entry", "something follows its entries", "a child has a value", "a key is too long",
            "a value is too long", "a long value cannot be", "its hash is not the one that its parent has",
            "there is no slot ", "slot  stands for another page already, ", "there is no long value ",
            "slot  stood for no page", "its number  stood for none",
        ] {
            #expect(refusals[reason] != nil, "\(reason) is not among \(refusals)")
        }
    }

    // MARK: - Pages that hash as their parents say, and are no tree's all the same

    static func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    static func leaf(_ key: String, _ value: String) -> (bytes: [UInt8], hash: Digest) {
        let sizes = number(UInt64(key.utf8.count), 2) + number(UInt64(value.utf8.count), 2)
        let bytes = sizes + Array(key.utf8) + Array(value.utf8)
        return (bytes, StateHash.leaf(key: Array(key.utf8), valueHash: BLAKE2b.hash(Array(value.utf8))))
    }

    /// A leaf with a long value.
    static func long(
        _ key: String, _ value: [UInt8], as slot: UInt64 = 0, id: UInt64 = 1
    ) -> (bytes: [UInt8], hash: Digest) {
        let hash = BLAKE2b.hash(value)
        let reference = number(slot, 4) + number(UInt64(value.count), 4) + number(id, 8) + hash.bytes
        let bytes = number(UInt64(key.utf8.count), 2) + [0xff, 0xff] + Array(key.utf8) + reference
        return (bytes, StateHash.leaf(key: Array(key.utf8), valueHash: hash))
    }

    static func child(slot: UInt64, id: UInt64, hash: Digest) -> (bytes: [UInt8], hash: Digest) {
        (number(0, 4) + number(slot, 4) + number(id, 8) + hash.bytes, hash)
    }

    /// A page of one entry, or of two that part at a bit.
    static func page(_ entries: [(bytes: [UInt8], hash: Digest)], bit: Int = 0) -> [UInt8] {
        let bits = entries.count == 2 ? number(UInt64(bit), 2) : []
        return withChecksum([1, 0] + number(UInt64(entries.count), 2) + bits + entries.flatMap(\.bytes))
    }

    /// How the invariants of a tree with these pages, the first of them its root, are broken.
    private static func fault(_ pages: [[UInt8]], count: Int, _ digest: Digest) throws -> String? {
        let store = MemoryStore()
        for (i, page) in pages.enumerated() { store.damage(page: UInt64(i) + 1) { _ in page } }
        store.damage(longValue: 1) { _ in Array(repeating: 7, count: 100) }
        let stored = StoredTree(
            count: count, digest: digest, rootPage: 1, rootSlot: 1, slotCount: 3, valueCount: 1, freeSlots: [],
            freeValues: [], lastPage: UInt64(pages.count), lastLongValue: 1)
        do {
            try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar).freeze(hashing: true).checkInvariants()
            return nil
        } catch let fault as TreeFault {
            return "\(fault)"
        }
    }

    @Test func `what the hashes do not show of a page, the invariants do`() throws {
        let (a, b) = (Self.leaf("a", "1"), Self.leaf("b", "2"))
        func digest(_ bit: Int) -> Digest { StateHash.node(bit: bit, a.hash, b.hash) }
        #expect(try Self.fault([Self.page([a, b], bit: 7)], count: 2, digest(7)) == nil)
        #expect(try Self.fault([Self.page([a, b], bit: 7)], count: 3, digest(7)) == "2 keys found, 3 counted")
        #expect(
            try Self.fault([Self.page([a, b], bit: 6)], count: 2, digest(6)) == "gap 0 says bit 6, the keys Optional(7)"
        )
        let short = Self.long("a", Array(repeating: 7, count: 100))
        #expect(try Self.fault([Self.page([short])], count: 1, short.hash) == "a value of 100 bytes in the wrong place")
        let lonely = Self.child(slot: 2, id: 2, hash: a.hash)
        let pages = [Self.page([lonely, b], bit: 7), Self.page([a])]
        #expect(throws: PageError.self) { try Self.fault(pages, count: 2, digest(7)) }
    }

    /// A free slot beyond all bounds, in a snapshot whose hash was made right, ended the process at the first write.
    @Test func `numbers that no tree can have are told`() throws {
        var rng = SeededGenerator(seed: 5)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: PagingTests.budget)
        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<4 {
            PagingTests.fill(tree, &model, 400, &rng)
            #expect(try store.snapshot(tree, of: tree.freeze(hashing: true)).isSound)
        }
        let honest = try store.snapshot(tree, of: tree.freeze(hashing: true))
        #expect(!honest.freeSlots.isEmpty && !honest.freeValues.isEmpty)
        let forgeries: [(inout StoredTree) -> Void] = [
            { $0.freeSlots.append(UInt32($0.slotCount)) }, { $0.freeSlots.append(.max) }, { $0.freeSlots.append(0) },
            { $0.freeSlots.append($0.freeSlots[0]) }, { $0.freeSlots.append($0.rootSlot) },
            { $0.freeValues.append(UInt32($0.valueCount)) }, { $0.freeValues.append($0.freeValues[0]) },
            { $0.rootSlot = 0 }, { $0.rootSlot = UInt32($0.slotCount) }, { $0.slotCount = 0 }, { $0.slotCount = .max },
            { $0.valueCount = -1 }, { $0.valueCount = .max }, { $0.count = -1 }, { $0.count = .max },
            { $0.count = 0 }, { $0.rootPage = 0 }, { ($0.count, $0.rootPage) = (0, 0) },
            { $0.rootPage = $0.lastPage + 1 }, { $0.lastPage = 1 << 62 }, { $0.lastLongValue = 1 << 62 },
        ]
        for (index, forge) in forgeries.enumerated() {
            var forged = honest
            forge(&forged)
            #expect(!forged.isSound, "forgery \(index)")
        }
    }
}
