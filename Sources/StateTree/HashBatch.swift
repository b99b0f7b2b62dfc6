import CHashing
import Hashing

/// The hashing jobs of one freeze; kept between freezes for its memory.
struct HashBatch {
    /// An inner node whose hash is stale, and where its hash goes.
    struct Node {
        let page: Page
        let gap: Int
        let digest: UnsafeMutablePointer<Digest>
    }
    struct Leaf {
        let page: Page
        let entry: Int
    }
    /// Stale inner nodes, level by level from the root.
    var nodes: [Node] = []
    var leaves: [Leaf] = []
    var messageJobs: [MessageJob] = []
    var leafJobs: [LeafJob] = []
    var nodeJobs: [NodeJob] = []
    var valueDigests: [Digest] = []
}

extension HashBatch {
    /// Hashes every stale node once and returns the hash of the whole tree.
    ///
    /// Walks the stale nodes breadth first, so that all of one level, which do not depend on each other, are hashed
    /// together, the deepest level first.
    mutating func hashStale(below rootSlot: UInt32, in pool: PagePool, with kernel: HashKernel) -> Digest {
        guard rootSlot != 0 else { return .zero }
        let root = pool.page(rootSlot)
        var digest = Digest.zero
        withUnsafeMutablePointer(to: &digest) { target in
            let levels = collectStale(below: root, in: pool, into: target)
            hashLeaves(in: pool, with: kernel)
            hashNodes(levels: levels, with: kernel)
            if root.count == 1 { target.pointee = root.entryHashes[0] }
        }
        return digest
    }

    /// Collects what is stale, clearing the marks; returns where each level of nodes begins.
    private mutating func collectStale(
        below root: Page, in pool: PagePool, into target: UnsafeMutablePointer<Digest>
    ) -> [Int] {
        nodes.removeAll(keepingCapacity: true)
        leaves.removeAll(keepingCapacity: true)
        collect(link: root.rootLink, of: root, in: pool, digest: root.count == 1 ? root.entryHashes : target)
        var levels: [Int] = []
        var start = 0
        while start < nodes.count {
            levels.append(start)
            let end = nodes.count
            for i in start..<end {
                let node = nodes[i]
                let gap = node.page.gaps[node.gap]
                collectIfStale(link: gap.left, of: node.page, in: pool)
                collectIfStale(link: gap.right, of: node.page, in: pool)
            }
            start = end
        }
        return levels
    }

    private mutating func collectIfStale(link: UInt8, of page: Page, in pool: PagePool) {
        let index = Int(link & ~Page.entryLinkFlag)
        let mask: UInt128 = 1 << UInt128(index)
        if !Page.isEntry(link) {
            if page.dirtyGaps & mask != 0 { collect(link: link, of: page, in: pool, digest: page.gapHashes + index) }
        } else if page.dirtyEntries & mask != 0 {
            collect(link: link, of: page, in: pool, digest: page.entryHashes + index)
        }
    }

    private mutating func collect(
        link: UInt8, of page: Page, in pool: PagePool, digest: UnsafeMutablePointer<Digest>
    ) {
        let index = Int(link & ~Page.entryLinkFlag)
        let mask: UInt128 = 1 << UInt128(index)
        if !Page.isEntry(link) {
            page.dirtyGaps &= ~mask
            nodes.append(.init(page: page, gap: index, digest: digest))
            return
        }
        page.dirtyEntries &= ~mask
        if page.isChild(index) {
            let child = pool.page(page.child(index))
            collect(link: child.rootLink, of: child, in: pool, digest: digest)
        } else {
            leaves.append(.init(page: page, entry: index))
        }
    }

    private mutating func hashLeaves(in pool: PagePool, with kernel: HashKernel) {
        messageJobs.removeAll(keepingCapacity: true)
        leafJobs.removeAll(keepingCapacity: true)
        if valueDigests.count < leaves.count {
            valueDigests = .init(repeating: .zero, count: leaves.count * 2)
        }
        var valueDigests: [Digest] = []
        swap(&valueDigests, &self.valueDigests)
        valueDigests.withUnsafeMutableBufferPointer { digests in
            for (i, leaf) in leaves.enumerated() {
                let record = leaf.page.record(leaf.entry)
                addLeaf(
                    record.key, pool.value(of: record), digests.baseAddress! + i, leaf.page.entryHashes + leaf.entry)
            }
            messageJobs.withUnsafeBufferPointer { kernel.hashMessages($0) }
            leafJobs.withUnsafeBufferPointer { kernel.hashLeaves($0) }
        }
        swap(&valueDigests, &self.valueDigests)
    }

    private mutating func hashNodes(levels: [Int], with kernel: HashKernel) {
        nodeJobs.removeAll(keepingCapacity: true)
        for node in nodes {
            let gap = node.page.gaps[node.gap]
            addNode(
                UInt32(gap.bit), node.page.hash(below: gap.left), node.page.hash(below: gap.right), node.digest)
        }
        nodeJobs.withUnsafeBufferPointer { jobs in
            var end = jobs.count
            for start in levels.reversed() {
                kernel.hashNodes(UnsafeBufferPointer(rebasing: jobs[start..<end]))
                end = start
            }
        }
    }

    private mutating func addLeaf(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer,
        _ valueDigest: UnsafeMutablePointer<Digest>, _ digest: UnsafeMutablePointer<Digest>
    ) {
        let valueDigest = UnsafeMutableRawPointer(valueDigest).assumingMemoryBound(to: UInt8.self)
        messageJobs.append(
            MessageJob(
                message: value.baseAddress?.assumingMemoryBound(to: UInt8.self), length: value.count,
                digest: valueDigest))
        leafJobs.append(
            LeafJob(
                key: key.baseAddress?.assumingMemoryBound(to: UInt8.self), key_length: UInt32(key.count),
                value_digest: valueDigest,
                digest: UnsafeMutableRawPointer(digest).assumingMemoryBound(to: UInt8.self)))
    }

    private mutating func addNode(
        _ bit: UInt32, _ left: UnsafeMutablePointer<Digest>, _ right: UnsafeMutablePointer<Digest>,
        _ digest: UnsafeMutablePointer<Digest>
    ) {
        nodeJobs.append(
            NodeJob(
                left: UnsafeRawPointer(left).assumingMemoryBound(to: UInt8.self),
                right: UnsafeRawPointer(right).assumingMemoryBound(to: UInt8.self),
                digest: UnsafeMutableRawPointer(digest).assumingMemoryBound(to: UInt8.self), bit: bit))
    }
}

extension Page {
    /// Where the hash of a node below one of this page's gaps is kept.
    func hash(below link: UInt8) -> UnsafeMutablePointer<Digest> {
        let index = Int(link & ~Self.entryLinkFlag)
        return Self.isEntry(link) ? entryHashes + index : gapHashes + index
    }
}
