import CHashing
import CMemory
import Hashing

/// The hashing jobs of one freeze; kept between freezes for its memory. One thread at a time.
final class HashBatch {
    /// An inner node whose hash is stale, and where its hash goes.
    private struct Node {
        let page: Page
        let digest: UnsafeMutablePointer<Digest>
        let gap: UInt32
        /// The number of the page's job.
        let job: UInt32
    }
    private struct Leaf {
        let page: Page
        let entry: Int
    }
    /// A page with something stale, and where the hash of its top goes.
    private struct PageJob {
        let page: Page
        let digest: UnsafeMutablePointer<Digest>
        /// Which of its gaps and of its records are stale: once listed, the page's own marks may be of the next generation.
        var staleGaps: UInt64 = 0
        var staleRecords: UInt64 = 0
    }
    /// Pages of this generation and older are hashed, whatever their marks say.
    private var hashedGeneration: Int64 = 0
    /// Level by level from the root, and where each level begins.
    private let pages = GrowingBuffer<PageJob>(capacity: 16)
    private let pageLevels = GrowingBuffer<Int>(capacity: 16)
    /// Stale inner nodes of a chunk of pages, level by level from their tops, and where each level begins.
    private let nodes = GrowingBuffer<Node>(capacity: 16)
    private let nodeLevels = GrowingBuffer<Int>(capacity: 16)
    private let leaves = GrowingBuffer<Leaf>(capacity: 16)
    /// The jobs of `nodes`, in the same order, and those of `leaves`.
    private let nodeJobs = GrowingBuffer<NodeJob>(capacity: 16)
    private let messageJobs = GrowingBuffer<MessageJob>(capacity: 16)
    private let leafJobs = GrowingBuffer<LeafJob>(capacity: 16)
    private let valueDigests = GrowingBuffer<Digest>(capacity: 16)

    deinit {
        pages.free()
        pageLevels.free()
        nodes.free()
        nodeLevels.free()
        leaves.free()
        nodeJobs.free()
        messageJobs.free()
        leafJobs.free()
        valueDigests.free()
    }
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
    /// - Parameters:
    ///   - generation: noted in each page that is done with; `nil` if the pages may be written in it again.
    ///   - meanwhile: is called once all that is stale is listed, from when on neither marks are read nor references to
    ///     children, and then for each chunk of pages that is done with.
    func hashStale(
        below rootSlot: UInt32, in pool: PagePool, with kernel: HashKernel, noting generation: Int64? = nil,
        meanwhile: () -> Void = {}
    ) -> Digest {
        pages.removeAll()
        guard rootSlot != 0 else { return .zero }
        hashedGeneration = pool.hashedGeneration
        var digest = Digest.zero
        withUnsafeMutablePointer(to: &digest) { target in
            list(below: pool.page(rootSlot), in: pool, into: target)
            meanwhile()
            var end = pages.count
            for level in (0..<pageLevels.count).reversed() {
                for start in stride(from: pageLevels[level], to: end, by: Self.chunkCount) {
                    let chunk = start..<min(start + Self.chunkCount, end)
                    hash(chunk, pool.values, with: kernel)
                    if let generation { for i in chunk { pages[i].page.hashedFor = generation } }
                    meanwhile()
                }
                end = pageLevels[level]
            }
        }
        return digest
    }

    /// Clears the marks of the pages that were hashed last.
    func clearMarks() {
        for i in 0..<pages.count { (pages[i].page.dirtyGaps, pages[i].page.dirtyEntries) = (0, 0) }
    }

    /// Hashes a page whose nodes and leaves are all stale, and whose children are not.
    func hash(whole page: Page, _ values: LongValues, with kernel: HashKernel) -> Digest {
        hashedGeneration = 0
        var digest = Digest.zero
        withUnsafeMutablePointer(to: &digest) { target in
            pages.removeAll()
            pages.append(PageJob(page: page, digest: target))
            _ = list(0)
            hash(0..<1, values, with: kernel)
        }
        clearMarks()
        return digest
    }

    /// Lists the pages that have something stale, and the levels they are on.
    private func list(below root: Page, in pool: PagePool, into target: UnsafeMutablePointer<Digest>) {
        pageLevels.removeAll()
        pages.append(PageJob(page: root, digest: target))
        var start = 0
        while start < pages.count {
            pageLevels.append(start)
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
                    pages.append(PageJob(page: pool.page(page.child(entry)), digest: page.entryHashes + entry))
                }
            }
            start = end
        }
    }

    /// Takes the marks of a page down; returns which of its children are stale.
    private func list(_ job: Int) -> UInt64 {
        var listed = pages[job]
        let page = listed.page
        guard page.generation > hashedGeneration else { return 0 }
        var entries = page.dirtyEntries
        var children: UInt64 = 0
        listed.staleGaps = page.dirtyGaps
        listed.staleRecords = entries
        while entries != 0 {
            let entry = entries.trailingZeroBitCount
            entries &= entries &- 1
            if page.isChild(entry) { children |= 1 << UInt64(entry) }
        }
        listed.staleRecords &= ~children
        pages[job] = listed
        return children
    }

    /// Hashes a chunk of pages whose children are hashed already.
    private func hash(_ chunk: Range<Int>, _ values: LongValues, with kernel: HashKernel) {
        nodes.removeAll()
        nodeLevels.removeAll()
        nodeJobs.removeAll()
        leaves.removeAll()
        collectNodes(of: chunk)
        if !leaves.isEmpty { hashLeaves(values, with: kernel) }
        hashNodes(with: kernel)
        // The hash of a page with a single entry is that entry's.
        for i in chunk where pages[i].page.count == 1 { pages[i].digest.pointee = pages[i].page.entryHashes[0] }
    }

    /// Collects the stale nodes of a chunk of pages, and the top of each.
    private func collectNodes(of chunk: Range<Int>) {
        for i in chunk {
            if i + Self.prefetchDistance < chunk.upperBound { pages[i + Self.prefetchDistance].page.prefetchSearch() }
            let job = pages[i]
            let link = job.page.rootLink
            if Page.isEntry(link) {
                collectIfStale(link: link, of: job, number: i)
            } else {
                nodes.append(Node(page: job.page, digest: job.digest, gap: UInt32(link), job: UInt32(i)))
            }
        }
        var start = 0
        while start < nodes.count {
            nodeLevels.append(start)
            let end = nodes.count
            for i in start..<end {
                let node = nodes[i]
                let (job, number) = (pages[Int(node.job)], Int(node.job))
                let gap = node.page.gaps[Int(node.gap)]
                addJob(node, gap)
                collectIfStale(link: gap.left, of: job, number: number)
                collectIfStale(link: gap.right, of: job, number: number)
            }
            start = end
        }
    }

    @inline(__always)
    private func collectIfStale(link: UInt8, of job: PageJob, number: Int) {
        let index = Int(link & ~Page.entryLinkFlag)
        let isEntry = Page.isEntry(link)
        // A child page is hashed already.
        let marks = isEntry ? job.staleRecords : job.staleGaps
        guard marks &>> UInt64(index) & 1 != 0 else { return }
        if isEntry {
            leaves.append(Leaf(page: job.page, entry: index))
            job.page.prefetchRecord(at: index)
        } else {
            let digest = job.page.gapHashes + index
            nodes.append(
                Node(
                    page: job.page, digest: digest, gap: UInt32(truncatingIfNeeded: index),
                    job: UInt32(truncatingIfNeeded: number)))
        }
    }

    private func hashLeaves(_ values: LongValues, with kernel: HashKernel) {
        messageJobs.removeAll()
        leafJobs.removeAll()
        valueDigests.removeAll()
        // All of them first, as they are not to move once a job knows where they are.
        for _ in 0..<leaves.count { valueDigests.append(.zero) }
        let digests = valueDigests.elements.baseAddress!
        for i in 0..<leaves.count {
            let (page, entry) = (leaves[i].page, leaves[i].entry)
            let record = page.record(entry)
            let digest = page.entryHashes + entry
            if record.isLong {
                addLeaf(record.key, UnsafeMutableRawPointer(values.digest(record.longValueSlot)), digest)
            } else {
                addMessage(record.inlineValue, digests + i)
                addLeaf(record.key, digests + i, digest)
            }
        }
        kernel.hashMessages(UnsafeBufferPointer(messageJobs.elements))
        kernel.hashLeaves(UnsafeBufferPointer(leafJobs.elements))
    }

    private func hashNodes(with kernel: HashKernel) {
        let jobs = UnsafeBufferPointer(nodeJobs.elements)
        var end = jobs.count
        for level in (0..<nodeLevels.count).reversed() {
            kernel.hashNodes(UnsafeBufferPointer(rebasing: jobs[nodeLevels[level]..<end]))
            end = nodeLevels[level]
        }
    }

    private func addMessage(_ message: UnsafeRawBufferPointer, _ digest: UnsafeMutablePointer<Digest>) {
        messageJobs.append(
            MessageJob(
                message: message.baseAddress?.assumingMemoryBound(to: UInt8.self), length: message.count,
                digest: UnsafeMutableRawPointer(digest).assumingMemoryBound(to: UInt8.self)))
    }

    private func addLeaf(
        _ key: UnsafeRawBufferPointer, _ valueDigest: UnsafeMutableRawPointer, _ digest: UnsafeMutablePointer<Digest>
    ) {
        leafJobs.append(
            LeafJob(
                key: key.baseAddress?.assumingMemoryBound(to: UInt8.self), key_length: UInt32(key.count),
                value_digest: valueDigest.assumingMemoryBound(to: UInt8.self),
                digest: UnsafeMutableRawPointer(digest).assumingMemoryBound(to: UInt8.self)))
    }

    @inline(__always)
    private func addJob(_ node: Node, _ gap: Page.Gap) {
        let (left, right) = (node.page.hash(below: gap.left), node.page.hash(below: gap.right))
        rootfast_prefetch(left)
        rootfast_prefetch(right)
        nodeJobs.append(
            NodeJob(
                left: UnsafeRawPointer(left).assumingMemoryBound(to: UInt8.self),
                right: UnsafeRawPointer(right).assumingMemoryBound(to: UInt8.self),
                digest: UnsafeMutableRawPointer(node.digest).assumingMemoryBound(to: UInt8.self),
                bit: UInt32(gap.bit)))
    }
}

extension Page {
    /// Where the hash of a node below one of this page's gaps is kept.
    func hash(below link: UInt8) -> UnsafeMutablePointer<Digest> {
        let index = Int(link & ~Self.entryLinkFlag)
        return Self.isEntry(link) ? entryHashes + index : gapHashes + index
    }
}
