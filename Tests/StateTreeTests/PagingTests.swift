import Hashing
import SeededRandom
import StateTree
import Testing
import Threading

/// Trees whose pages leave memory and come back.
@Suite struct PagingTests {
    /// So small that hardly anything stays.
    static let budget = 64 << 12

    static func fill(_ tree: Tree, _ model: inout [[UInt8]: [UInt8]], _ count: Int, _ rng: inout SeededGenerator) {
        for _ in 0..<count {
            let key = rng.bytes(.random(in: 1...12, using: &rng))
            if Int.random(in: 0..<4, using: &rng) == 0, !model.isEmpty {
                // In order, as a dictionary's own differs from process to process.
                let keys = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
                let old = keys.randomElement(using: &rng)!
                model[old] = nil
                _ = tree.delete(old)
            } else {
                let value = TreeTests.value(&rng)
                model[key] = value
                tree.put(key, value)
            }
        }
    }

    static func expectSame(_ view: TreeView, _ model: [[UInt8]: [UInt8]]) throws {
        try view.checkInvariants()
        #expect(view.root == definedRoot(model))
        let pairs = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { Pair(key: $0.key, value: $0.value) }
        #expect(view.pairs() == pairs)
        #expect(view.pairs(reversed: true) == pairs.reversed())
    }

    @Test(arguments: [1, 2, 3]) func `a tree is the same whatever of it is in memory`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: Self.budget)
        var model: [[UInt8]: [UInt8]] = [:]
        var kept: [(TreeView, [[UInt8]: [UInt8]])] = []
        for round in 0..<12 {
            Self.fill(tree, &model, 600, &rng)
            let view = tree.freeze(hashing: true)
            _ = try store.snapshot(tree, of: view)
            if round % 4 == 1 { kept.append((view, model)) }
            try Self.expectSame(tree.freeze(hashing: true), model)
        }
        #expect(store.readCount > 1000, "pages must have left")
        for (view, model) in kept { try Self.expectSame(view, model) }
    }

    @Test(arguments: [4, 5]) func `a tree goes on from any of its snapshots`(seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let store = MemoryStore()
        var tree = Tree(kernel: .scalar, store: store, budgetBytes: Self.budget)
        var model: [[UInt8]: [UInt8]] = [:]
        var snapshots: [(StoredTree, [[UInt8]: [UInt8]])] = []
        for _ in 0..<8 {
            Self.fill(tree, &model, 500, &rng)
            snapshots.append((try store.snapshot(tree, of: tree.freeze(hashing: true)), model))
            tree = try Tree(snapshots.last!.0, in: store, budgetBytes: Self.budget, kernel: .scalar)
        }
        for (stored, model) in snapshots {
            let old = try Tree(stored, in: store, budgetBytes: Self.budget, kernel: .scalar)
            #expect(old.root() == stored.root)
            try Self.expectSame(old.freeze(hashing: true), model)
            // And it can be written, without touching the others.
            var changed = model
            Self.fill(old, &changed, 50, &rng)
            try Self.expectSame(old.freeze(hashing: true), changed)
        }
    }

    /// A page that was left with a single entry, a page that nobody had read, was hashed as if it were in memory.
    @Test(arguments: 10..<16) func `what is deleted beside a page that was not read leaves it as it is`(seed: UInt64)
        throws
    {
        var rng = SeededGenerator(seed: seed)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        for _ in 0..<400 { model[rng.bytes(3)] = rng.bytes(.random(in: 300...768, using: &rng)) }
        let keys = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
        // In an order that is the same in each run, as the pages depend on it.
        for key in keys.shuffled(using: &rng) { tree.put(key, model[key]!) }
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true))
        // Few keys are deleted from each tree, so that most of its pages have not been read.
        for _ in 0..<40 {
            let reopened = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
            var left = model
            for key in keys.dropFirst(.random(in: 0..<380, using: &rng)).prefix(12) {
                left[key] = nil
                #expect(reopened.delete(key))
                #expect(reopened.root() == definedRoot(left))
            }
        }
    }

    @Test func `every page and value that is not what it was is found out`() throws {
        var rng = SeededGenerator(seed: 7)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(tree, &model, 400, &rng)
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true))
        func isFoundOut() -> Bool {
            do {
                let tree = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
                try tree.freeze(hashing: true).forEach(from: nil, to: nil) { _, _ in true }
                return false
            } catch { return error is PageError }
        }
        #expect(!isFoundOut())
        for id in store.pageIDs {
            let honest = try store.page(id)
            store.damage(page: id) { _ in nil }
            #expect(isFoundOut())
            for _ in 0..<20 {
                let position = Int.random(in: 0..<honest.count, using: &rng)
                var bytes = honest
                bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &rng)
                // Also where the crc was made to match again, unless it is only a slot's number that changed.
                store.damage(page: id) { _ in bytes }
                #expect(isFoundOut(), "page \(id), byte \(position)")
                store.damage(page: id) { _ in Array(bytes.prefix(position)) }
                #expect(isFoundOut(), "page \(id), cut at \(position)")
            }
            store.damage(page: id) { _ in honest }
        }
        for id in store.longValueIDs {
            let honest = try store.longValue(id)
            store.damage(longValue: id) { [$0[0] ^ 1] + $0.dropFirst() }
            #expect(isFoundOut())
            store.damage(longValue: id) { _ in honest }
        }
        #expect(!isFoundOut())
    }

    @Test func `what is read back of a snapshot has to be what was written`() throws {
        var rng = SeededGenerator(seed: 12)
        let tree = Tree(kernel: .scalar, store: MemoryStore())
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(tree, &model, 400, &rng)
        let unstored = tree.unstoredPages(of: tree.freeze(hashing: true), after: (0, 0))
        #expect(unstored.collect())
        let pages = (0..<unstored.pageCount).map { unstored.page($0).bytes }
        let values = (0..<unstored.longValueCount).map { Array(unstored.longValue($0).bytes) }
        for (i, page) in pages.enumerated() {
            try unstored.verifyPage(i, page)
            // Also a whole page, if it is another.
            for other in [pages[(i + 1) % pages.count], Array(page.dropLast()), page.map { $0 ^ 1 }, []] {
                #expect(throws: PageError.self) { try unstored.verifyPage(i, other) }
            }
        }
        for (i, value) in values.enumerated() {
            try unstored.verifyLongValue(i, value)
            for other in [value.map { $0 ^ 1 }, Array(value.dropLast()), value + [0]] {
                #expect(throws: PageError.self) { try unstored.verifyLongValue(i, other) }
            }
        }
        #expect(pages.count > 5 && values.count > 5)
    }

    @Test func `a reopened tree of which only the pages made last are left lets go of these`() throws {
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        func key(_ number: Int) -> [UInt8] { withUnsafeBytes(of: UInt32(number).bigEndian) { Array($0) } }
        for number in 0..<60_000 { tree.put(key(number), [UInt8](repeating: 1, count: 60)) }
        _ = try store.snapshot(tree, of: tree.freeze(hashing: true))
        for number in 0..<50_000 { _ = tree.delete(key(number)) }
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true), keepsOld: false)
        let reopened = try Tree(stored, in: store, budgetBytes: Self.budget, kernel: .scalar)
        let view = reopened.freeze(hashing: true)
        for _ in 0..<2 { #expect(view.pairs().map(\.key) == (50_000..<60_000).map(key)) }
        // Those that had left were read twice.
        #expect(store.readCount > store.pageIDs.count * 3 / 2, "of \(store.pageIDs.count) pages")
    }

    @Test func `two pages in each other's place are found out`() throws {
        var rng = SeededGenerator(seed: 8)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(tree, &model, 400, &rng)
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true))
        let ids = store.pageIDs
        let (a, b) = (try store.page(ids[1]), try store.page(ids[2]))
        store.damage(page: ids[1]) { _ in b }
        store.damage(page: ids[2]) { _ in a }
        #expect(throws: PageError.self) {
            try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar).freeze(hashing: true)
                .forEach(from: nil, to: nil) { _, _ in true }
        }
    }

    /// What a page says of a long value was taken over before the page was verified, also of a value that was in memory:
    /// so a damaged length made others read beyond its end. And readers were at what was written there, without a lock.
    @Test func `a damaged page changes nothing of a long value that is in memory`() throws {
        let store = MemoryStore()
        let first = Tree(kernel: .scalar, store: store)
        for i in 0..<400 { first.put(Array("key \(i)".utf8), Array(repeating: 1, count: 100)) }
        let long = [UInt8](repeating: 2, count: 3000)
        first.put([2], long)
        let stored = try store.snapshot(first, of: first.freeze(hashing: true))
        let tree = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
        let other = [UInt8](repeating: 3, count: 2000)
        tree.put([3], other)
        let view = tree.freeze(hashing: true)
        #expect(view.value(for: [2]) == long)

        let digest = Array(BLAKE2b.hash(long).bytes)
        let holder = try #require(store.pageIDs.first { try! store.page($0).firstRange(of: digest) != nil })
        let honest = try store.page(holder)
        let start = honest.firstRange(of: digest)!.lowerBound
        for id in store.pageIDs where id != holder {
            var forged = honest
            // Before the hash there are the number, in four bytes, the length, in four, and the number in the store, in
            // eight. Every other page takes the other value's number, which is not stored yet.
            forged[start - 16] = UInt8(id % 2)
            forged[start - 11] += 1
            let crc = forged.dropLast(4).withUnsafeBytes { CRC32C.checksum($0) }
            forged.replaceSubrange((forged.count - 4)..., with: withUnsafeBytes(of: crc.littleEndian) { Array($0) })
            store.damage(page: id) { _ in forged }
        }
        var refused = 0
        for i in 0..<400 {
            do { _ = try Array("key \(i)".utf8).withUnsafeBytes { try view.value(for: $0) } } catch { refused += 1 }
        }
        #expect(refused > 0)
        #expect(view.value(for: [2]) == long)
        #expect(view.value(for: [3]) == other)
    }

    /// A page's hash does not cover the slots of its children, and what was in memory at a slot was believed: a page whose
    /// references were changed, and its crc with them, showed one child in another's place, or led back to itself for ever.
    /// `verifyStored`, and so `check`, saw nothing. Found while the fuzzer's subjects were written.
    @Test func `a reference to another page that is in memory is found out`() throws {
        var rng = SeededGenerator(seed: 11)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(tree, &model, 900, &rng)
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true))
        let honest = try store.page(stored.rootPage)
        let references = Self.references(in: honest)
        let root =
            withUnsafeBytes(of: stored.rootSlot.littleEndian) { Array($0) }
            + withUnsafeBytes(of: stored.rootPage.littleEndian) { Array($0) }
        #expect(references.count > 1)
        for reference in references {
            for other in references.filter({ $0 != reference }).map({ Array(honest[$0]) }) + [root] {
                store.damage(page: stored.rootPage) { _ in
                    var page = Array(honest.dropLast(4))
                    page.replaceSubrange(reference, with: other)
                    let crc = page.withUnsafeBytes { CRC32C.checksum($0) }
                    return page + withUnsafeBytes(of: crc.littleEndian) { Array($0) }
                }
                #expect(throws: PageError.self) {
                    let view = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar).freeze(hashing: true)
                    for key in model.keys { _ = try key.withUnsafeBytes { try view.value(for: $0) } }
                }
                #expect(throws: PageError.self) {
                    var verified = VerifiedItems()
                    try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar).freeze(hashing: true)
                        .verifyStored(&verified)
                }
            }
        }
    }

    /// A page that came back at a slot that was free was written over once the writer took the slot.
    @Test func `a reference to a slot that stands for no page is found out`() throws {
        var rng = SeededGenerator(seed: 12)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(tree, &model, 900, &rng)
        for key in model.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }).prefix(300) {
            model[key] = nil
            #expect(tree.delete(key))
        }
        let stored = try store.snapshot(tree, of: tree.freeze(hashing: true))
        let honest = try store.page(stored.rootPage)
        let reference = try #require(Self.references(in: honest).first)
        for slot in UInt32(1)...300 {
            let bytes = withUnsafeBytes(of: slot.littleEndian) { Array($0) }
            guard bytes != Array(honest[reference].prefix(4)) else { continue }
            store.damage(page: stored.rootPage) { _ in
                var page = Array(honest.dropLast(4))
                page.replaceSubrange(reference.prefix(4), with: bytes)
                let crc = page.withUnsafeBytes { CRC32C.checksum($0) }
                return page + withUnsafeBytes(of: crc.littleEndian) { Array($0) }
            }
            #expect(throws: PageError.self, "slot \(slot)") {
                let view = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar).freeze(hashing: true)
                for key in model.keys { _ = try key.withUnsafeBytes { try view.value(for: $0) } }
            }
        }
    }

    /// Where a stored page has the slots and ids of its children (see `StoredPage`).
    private static func references(in page: [UInt8]) -> [Range<Int>] {
        func number(at offset: Int) -> Int { Int(page[offset]) | Int(page[offset + 1]) << 8 }
        var offset = 4 + 2 * (number(at: 2) - 1)
        var references: [Range<Int>] = []
        while offset < page.count - 4 {
            let (keyCount, valueCount) = (number(at: offset), number(at: offset + 2))
            if keyCount == 0 { references.append(offset + 4..<offset + 16) }
            offset += 4 + (keyCount == 0 ? 44 : keyCount + (valueCount == 0xffff ? 48 : valueCount))
        }
        return references
    }

    @Test func `a put whose page cannot be read changes nothing`() throws {
        var rng = SeededGenerator(seed: 9)
        let store = MemoryStore()
        let first = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(first, &model, 400, &rng)
        let stored = try store.snapshot(first, of: first.freeze(hashing: true))
        let tree = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
        for id in store.pageIDs.dropFirst() { store.damage(page: id) { [$0[0] + 1] + $0.dropFirst() } }
        let away = model.keys.sorted { $0.lexicographicallyPrecedes($1) }.filter { key in
            (try? key.withUnsafeBytes { try tree.unpinned.value(for: $0) != nil }) == nil
        }
        #expect(!away.isEmpty)
        for key in away {
            #expect(throws: PageError.self) { try key.withUnsafeBytes { try tree.put($0, $0) } }
        }
        #expect(tree.root() == stored.root)
        #expect(tree.count == model.count)
    }

    /// A number that was freed stayed in the list of what may leave. The value that took it over left as soon as a
    /// snapshot had given it an id: before it was stored, and the snapshot ended the process.
    @Test func `a long value does not leave before it is stored, whoever had its number before`() throws {
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: 200 << 12)
        func put(_ key: Int, _ byte: UInt8) {
            tree.put([UInt8(key / 256), UInt8(key % 256)], Array(repeating: byte, count: 5000))
        }
        for key in 0..<60 { put(key, 1) }
        _ = try store.snapshot(tree, of: tree.freeze(hashing: true))
        for key in 0..<40 { _ = tree.delete([0, UInt8(key)]) }
        for _ in 0..<4 {
            put(100, 2)
            _ = tree.freeze(hashing: true)
        }
        // These get the numbers of those that were deleted, all of it within the budget.
        for key in 200..<240 { put(key, 3) }
        let view = tree.freeze(hashing: true)
        let unstored = tree.unstoredPages(of: view, after: (1000, 1000))
        #expect(unstored.collect())
        // And these are beyond it: each freeze makes room.
        for key in 300..<500 {
            put(key, 4)
            _ = tree.freeze(hashing: true)
        }
        for i in 0..<unstored.longValueCount {
            #expect([2, 3].contains(unstored.longValue(i).bytes.first))
        }
        unstored.giveUp()
        for key in 200..<240 { #expect(view.value(for: [0, UInt8(key)])?.first == 3) }
    }

    /// A reader that came by the first long value of a reopened tree, and its writer at the same time, each made the table
    /// that long values stand in: one of the values was lost.
    @Test func `in a reopened tree a reader and the writer make memory side by side`() throws {
        let store = MemoryStore()
        let first = Tree(kernel: .scalar, store: store)
        var model: [[UInt8]: [UInt8]] = [:]
        for i in 0..<400 { model[[1] + Array("key \(i)".utf8)] = Array(repeating: 1, count: i % 40 == 7 ? 2000 : 100) }
        for (key, value) in model { first.put(key, value) }
        let stored = try store.snapshot(first, of: first.freeze(hashing: true))
        let long = [UInt8](repeating: 2, count: 3000)
        for _ in 0..<200 {
            let tree = try Tree(stored, in: store, budgetBytes: .max, kernel: .scalar)
            let view = tree.freeze(hashing: true)
            let (failures, done, ready) = (Counter(), Counter(), Counter())
            detached { [model] in
                ready.increment()
                if (try? view.holds(model)) != true { failures.increment() }
                done.increment()
            }
            while ready.value == 0 {}
            tree.put([2], long)
            while done.value == 0 {}
            #expect(failures.value == 0)
            let after = tree.freeze(hashing: true)
            #expect(try after.holds(model) && after.value(for: [2]) == long)
        }
    }

    @Test func `readers on many threads see their state while pages come and go`() throws {
        var rng = SeededGenerator(seed: 10)
        let store = MemoryStore()
        let tree = Tree(kernel: .scalar, store: store, budgetBytes: Self.budget)
        var model: [[UInt8]: [UInt8]] = [:]
        Self.fill(tree, &model, 3000, &rng)
        var view = tree.freeze(hashing: true)
        _ = try store.snapshot(tree, of: view)
        let failures = Counter()
        let done = Counter()
        let readerCount = 3
        for seed in 0..<readerCount {
            let (view, model) = (view, model)
            detached {
                var rng = SeededGenerator(seed: UInt64(seed))
                let keys = Array(model.keys)
                for _ in 0..<20_000 {
                    let key = keys.randomElement(using: &rng)!
                    if view.value(for: key) != model[key] { failures.increment() }
                }
                done.increment()
            }
        }
        while done.value < readerCount {
            Self.fill(tree, &model, 100, &rng)
            view = tree.freeze(hashing: true)
            _ = try store.snapshot(tree, of: view)
        }
        #expect(failures.value == 0)
        try Self.expectSame(view, model)
    }
}

/// `@unchecked Sendable`, because `count` is touched under `lock` only.
private final class Counter: @unchecked Sendable {
    private let lock = Lock()
    private var count = 0
    var value: Int { lock.withLock { count } }
    func increment() { lock.withLock { count += 1 } }
}

extension TreeView {
    fileprivate func holds(_ model: [[UInt8]: [UInt8]]) throws -> Bool {
        try reading {
            try model.allSatisfy { key, value in
                try key.withUnsafeBytes { try self.value(for: $0)?.elementsEqual(value) == true }
            }
        }
    }
}

/// Runs a body once on a thread of its own.
private func detached(_ body: @escaping @Sendable () -> Void) {
    WorkerThread(body).wake()
}
