import CHashing
import CMemory
import Hashing

/// The hashing jobs of one freeze; kept between freezes for its memory.
struct HashBatch {
    /// An inner node whose hash is stale, and where its hash goes.
    struct Node {
        let page: Page
        let gap: Int
        let digest: UnsafeMutablePointer<Digest>
        /// The number of the page's job.
        let job: Int
    }
    struct Leaf {
        let page: Page
        let entry: Int
    }
    /// A page with something stale, and where the hash of its top goes.
    struct PageJob {
        let page: Page
        let digest: UnsafeMutablePointer<Digest>
        /// Which of its gaps and of its records are stale: once listed, the page's own marks may be of the next generation.
        var staleGaps: UInt64 = 0
        var staleRecords: UInt64 = 0
    }
    /// Pages of this generation and older are hashed, whatever their marks say.
    private var hashedGeneration: Int64 = 0
    /// Level by level from the root, and the levels.
    var pages: [PageJob] = []
    var pageLevels: [Range<Int>] = []
    /// Stale inner nodes of a chunk of pages, level by level from their tops, and where each level begins.
    var nodes: [Node] = []
    var nodeLevels: [Int] = []
    var leaves: [Leaf] = []
    var messageJobs: [MessageJob] = []
    var leafJobs: [LeafJob] = []
    var nodeJobs: [NodeJob] = []
    var valueDigests: [Digest] = []
}

extension HashBatch {
    /// As many pages as are hashed together: enough to fill the lanes, few enough to stay in the processor's cache.
    private static let chunkCount = 64
    /// A page is asked for so many pages before it is looked at.
    private static let prefetchDistance = 8

    /// Hashes every stale node once and returns the hash of the whole tree. The marks stay.
    ///
    /// The pages with stale nodes are found level by level from the root, then hashed the deepest level first, a chunk
    /// of pages at a time: nodes that do not depend on each other together.
    ///
    /// - Parameter onceListed: is called when all that is stale is listed. From then on neither marks are read nor
    ///   references to children.
    mutating func hashStale(
        below rootSlot: UInt32, in pool: PagePool, with kernel: HashKernel, onceListed: () -> Void = {}
    ) -> Digest {
        pages.removeAll(keepingCapacity: true)
        guard rootSlot != 0 else { return .zero }
        hashedGeneration = pool.hashedGeneration
        var digest = Digest.zero
        withUnsafeMutablePointer(to: &digest) { target in
            list(below: pool.page(rootSlot), in: pool, into: target)
            onceListed()
            for level in pageLevels.reversed() {
                for start in stride(from: level.lowerBound, to: level.upperBound, by: Self.chunkCount) {
                    hash(start..<min(start + Self.chunkCount, level.upperBound), pool.values, with: kernel)
                }
            }
        }
        return digest
    }

    /// Clears the marks of the pages that were hashed last.
    func clearMarks() {
        for job in pages { (job.page.dirtyGaps, job.page.dirtyEntries) = (0, 0) }
    }

    /// Hashes a page whose nodes and leaves are all stale, and whose children are not.
    mutating func hash(whole page: Page, _ values: LongValues, with kernel: HashKernel) -> Digest {
        hashedGeneration = 0
        var digest = Digest.zero
        withUnsafeMutablePointer(to: &digest) { target in
            pages = [.init(page: page, digest: target)]
            _ = list(0)
            hash(0..<1, values, with: kernel)
        }
        clearMarks()
        return digest
    }

    /// Lists the pages that have something stale, and the levels they are on.
    private mutating func list(below root: Page, in pool: PagePool, into target: UnsafeMutablePointer<Digest>) {
        pageLevels.removeAll(keepingCapacity: true)
        pages.append(.init(page: root, digest: target))
        var start = 0
        while start < pages.count {
            let end = pages.count
            for i in start..<end {
                if i + Self.prefetchDistance < end { pages[i + Self.prefetchDistance].page.prefetchSearch() }
                let page = pages[i].page
                precondition(page.word > 0, "a stale page is not in memory")
                var stale = list(i)
                while stale != 0 {
                    let entry = stale.trailingZeroBitCount
                    stale &= stale &- 1
                    // What is stale was written since it was last stored, so it is in memory.
                    pages.append(.init(page: pool.page(page.child(entry)), digest: page.entryHashes + entry))
                }
            }
            pageLevels.append(start..<end)
            start = end
        }
    }

    /// Takes the marks of a page down; returns which of its children are stale.
    private mutating func list(_ job: Int) -> UInt64 {
        let page = pages[job].page
        guard page.generation > hashedGeneration else { return 0 }
        var entries = page.dirtyEntries
        var children: UInt64 = 0
        pages[job].staleGaps = page.dirtyGaps
        pages[job].staleRecords = entries
        while entries != 0 {
            let entry = entries.trailingZeroBitCount
            entries &= entries &- 1
            if page.isChild(entry) { children |= 1 << UInt64(entry) }
        }
        pages[job].staleRecords &= ~children
        return children
    }

    /// Hashes a chunk of pages whose children are hashed already.
    private mutating func hash(_ chunk: Range<Int>, _ values: LongValues, with kernel: HashKernel) {
        nodes.removeAll(keepingCapacity: true)
        nodeLevels.removeAll(keepingCapacity: true)
        leaves.removeAll(keepingCapacity: true)
        collectNodes(of: chunk)
        if !leaves.isEmpty { hashLeaves(values, with: kernel) }
        hashNodes(with: kernel)
        // The hash of a page with a single entry is that entry's.
        for job in pages[chunk] where job.page.count == 1 { job.digest.pointee = job.page.entryHashes[0] }
    }

    /// Collects the stale nodes of a chunk of pages, and the top of each.
    private mutating func collectNodes(of chunk: Range<Int>) {
        for i in chunk {
            if i + Self.prefetchDistance < chunk.upperBound { pages[i + Self.prefetchDistance].page.prefetchSearch() }
            let job = pages[i]
            let link = job.page.rootLink
            if Page.isEntry(link) {
                collectIfStale(link: link, of: i)
            } else {
                nodes.append(.init(page: job.page, gap: Int(link), digest: job.digest, job: i))
            }
        }
        var start = 0
        while start < nodes.count {
            nodeLevels.append(start)
            let end = nodes.count
            for i in start..<end {
                let node = nodes[i]
                let gap = node.page.gaps[node.gap]
                collectIfStale(link: gap.left, of: node.job)
                collectIfStale(link: gap.right, of: node.job)
            }
            start = end
        }
    }

    @inline(__always)
    private mutating func collectIfStale(link: UInt8, of job: Int) {
        let page = pages[job].page
        let index = Int(link & ~Page.entryLinkFlag)
        let isEntry = Page.isEntry(link)
        // A child page is hashed already.
        let marks = isEntry ? pages[job].staleRecords : pages[job].staleGaps
        guard marks &>> UInt64(index) & 1 != 0 else { return }
        if isEntry {
            leaves.append(.init(page: page, entry: index))
            page.prefetchRecord(at: index)
        } else {
            nodes.append(.init(page: page, gap: index, digest: page.gapHashes + index, job: job))
        }
    }

    private mutating func hashLeaves(_ values: LongValues, with kernel: HashKernel) {
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
                let digest = leaf.page.entryHashes + leaf.entry
                if record.isLong {
                    addLeaf(record.key, UnsafeMutableRawPointer(values.digest(record.longValueSlot)), digest)
                } else {
                    addMessage(record.inlineValue, digests.baseAddress! + i)
                    addLeaf(record.key, digests.baseAddress! + i, digest)
                }
            }
            messageJobs.withUnsafeBufferPointer { kernel.hashMessages($0) }
            leafJobs.withUnsafeBufferPointer { kernel.hashLeaves($0) }
        }
        swap(&valueDigests, &self.valueDigests)
    }

    private mutating func hashNodes(with kernel: HashKernel) {
        nodeJobs.removeAll(keepingCapacity: true)
        for node in nodes {
            let gap = node.page.gaps[node.gap]
            let (left, right) = (node.page.hash(below: gap.left), node.page.hash(below: gap.right))
            rootfast_prefetch(left)
            rootfast_prefetch(right)
            addNode(UInt32(gap.bit), left, right, node.digest)
        }
        nodeJobs.withUnsafeBufferPointer { jobs in
            var end = jobs.count
            for start in nodeLevels.reversed() {
                kernel.hashNodes(UnsafeBufferPointer(rebasing: jobs[start..<end]))
                end = start
            }
        }
    }

    private mutating func addMessage(_ message: UnsafeRawBufferPointer, _ digest: UnsafeMutablePointer<Digest>) {
        messageJobs.append(
            MessageJob(
                message: message.baseAddress?.assumingMemoryBound(to: UInt8.self), length: message.count,
                digest: UnsafeMutableRawPointer(digest).assumingMemoryBound(to: UInt8.self)))
    }

    private mutating func addLeaf(
        _ key: UnsafeRawBufferPointer, _ valueDigest: UnsafeMutableRawPointer, _ digest: UnsafeMutablePointer<Digest>
    ) {
        leafJobs.append(
            LeafJob(
                key: key.baseAddress?.assumingMemoryBound(to: UInt8.self), key_length: UInt32(key.count),
                value_digest: valueDigest.assumingMemoryBound(to: UInt8.self),
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
