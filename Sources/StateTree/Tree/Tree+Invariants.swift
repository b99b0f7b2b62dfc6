import Hashing

/// A broken law of the tree's structure, in words.
public struct TreeFault: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}

extension TreeView {
    /// Checks every law of pages and hashes below this view; costs the whole tree. For tests and specs.
    ///
    /// (1) entries rise and their neighbours differ first at the gap's bit; (2) links are the Cartesian tree of the
    /// bits; (3) a page fits its frame, its records do not overlap its arrays, and a child has two entries or more;
    /// (4) values are inline or long by their size; (5) the count is right; (6) if hashed, every hash is.
    public func checkInvariants() throws {
        var found = 0
        if rootSlot != 0 { found = try reading { try check(pool.page(rootSlot), isRoot: true).count } }
        guard found == count else { throw TreeFault("\(found) keys found, \(count) counted") }
        var builder = RootBuilder()
        try forEach(from: nil, to: nil) { key, value in
            builder.add(key: key, value: value)
            return true
        }
        if let root { guard builder.root() == root else { throw TreeFault("the root does not match the content") } }
    }

    private typealias Summary = (first: [UInt8], last: [UInt8], count: Int, hash: Digest?)

    private func check(_ page: Page, isRoot: Bool) throws -> Summary {
        guard isRoot || page.count >= 2, (1...page.room).contains(page.count) else {
            throw TreeFault("a page of \(page.count) entries with room for \(page.room)")
        }
        guard Page.headerBytes + Page.entryBytes * page.room <= page.heapStart else {
            throw TreeFault("records overlap the arrays")
        }
        let parts = try (0..<page.count).map { try checkEntry($0, of: page) }
        for i in 0..<(page.count - 1) {
            let bit = parts[i].last.withUnsafeBytes { a in
                parts[i + 1].first.withUnsafeBytes { KeyBits.firstDifference(a, $0) }
            }
            guard bit == Int(page.gaps[i].bit), !(parts[i + 1].first.lexicographicallyPrecedes(parts[i].last)) else {
                throw TreeFault("gap \(i) says bit \(page.gaps[i].bit), the keys \(String(describing: bit))")
            }
        }
        let hash = try checkLinks(of: page, parts)
        return (parts[0].first, parts[page.count - 1].last, parts.reduce(0) { $0 + $1.count }, hash)
    }

    private func checkEntry(_ entry: Int, of page: Page) throws -> Summary {
        if page.isChild(entry) {
            let summary = try check(pool.child(page, entry), isRoot: false)
            if treeDigest != nil, summary.hash != page.entryHashes[entry] { throw TreeFault("a child's hash is wrong") }
            return summary
        }
        let record = page.record(entry)
        let value = try pool.value(of: record)
        guard record.isLong == (value.count > Page.inlineValueBytesMax) else {
            throw TreeFault("a value of \(value.count) bytes in the wrong place")
        }
        let hash = StateHash.leaf(key: record.key, valueHash: BLAKE2b.hash(value))
        if treeDigest != nil, hash != page.entryHashes[entry] { throw TreeFault("a leaf's hash is wrong") }
        return (Array(record.key), Array(record.key), 1, hash)
    }

    /// Walks the links without recursion, children before parents, comparing them with the bits.
    private func checkLinks(of page: Page, _ parts: [Summary]) throws -> Digest? {
        var hashes: [Int: Digest] = [:]
        let byDepth = (0..<(page.count - 1)).sorted { page.gaps[$0].bit > page.gaps[$1].bit }
        for gap in byDepth {
            let node = page.gaps[gap]
            let (left, right) = (page.run(below: node.left), page.run(below: node.right))
            guard left.upperBound == gap, right.lowerBound == gap + 1 else {
                throw TreeFault("gap \(gap) is misplaced")
            }
            for link in [node.left, node.right] where !Page.isEntry(link) {
                guard page.gaps[Int(link)].bit > node.bit else { throw TreeFault("bits do not rise below gap \(gap)") }
            }
            guard treeDigest != nil else { continue }
            func hash(_ link: UInt8) -> Digest {
                Page.isEntry(link) ? parts[Int(link & ~Page.entryLinkFlag)].hash! : hashes[Int(link)]!
            }
            hashes[gap] = StateHash.node(bit: Int(node.bit), hash(node.left), hash(node.right))
            if UInt8(gap) != page.rootLink, hashes[gap] != page.gapHashes[gap] {
                throw TreeFault("a gap's hash is wrong")
            }
        }
        guard treeDigest != nil else { return nil }
        return Page.isEntry(page.rootLink) ? parts[0].hash : hashes[Int(page.rootLink)]
    }
}
