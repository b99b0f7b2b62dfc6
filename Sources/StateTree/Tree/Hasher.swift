import Hashing

/// Makes the hashes of a tree: for its writer, or of a view while the writer goes on.
///
/// Hashing a view writes the stale hashes of its pages, which nobody reads, and leaves their marks alone, so that the
/// writer may copy the pages meanwhile: a copy takes the marks over and not the stale hashes. Once it is done all pages
/// up to the view's generation count as hashed (`PagePool.hashedGeneration`), whatever their marks say. A copy made
/// before that is marked more than it need be: below such a mark may be a page that is hashed, of which the top is hashed
/// once more, as its hash lies in the page above: so until then it may not be written in its place either.
///
/// Views are hashed in the order in which they were frozen: else a page that only an earlier one shows would count as
/// hashed. One thread at a time.
final class Hasher {
    private let pool: PagePool
    private let kernel: HashKernel
    private var batch = HashBatch()
    /// The newest generation that was hashed, and the hash of its tree.
    private var newest: (generation: Int64, digest: Digest)?

    init(_ pool: PagePool, _ kernel: HashKernel) {
        self.pool = pool
        self.kernel = kernel
    }

    /// Hashes the writer's tree, while the writer waits.
    func hashInPlace(below rootSlot: UInt32) -> Digest {
        let digest = batch.hashStale(below: rootSlot, in: pool, with: kernel)
        batch.clearMarks()
        return digest
    }

    /// Hashes the tree of a frozen generation, which the writer may be copying pages of.
    func hash(_ generation: Int64, below rootSlot: UInt32) -> Digest {
        if let newest, newest.generation == generation { return newest.digest }
        precondition(generation > pool.hashedGeneration, "views are hashed in the order in which they were frozen")
        let digest = batch.hashStale(below: rootSlot, in: pool, with: kernel)
        note(generation, digest)
        return digest
    }

    /// Notes that all pages up to a frozen generation are hashed.
    func note(_ generation: Int64, _ digest: Digest) {
        newest = (generation, digest)
        pool.hashedGeneration = generation
    }
}
