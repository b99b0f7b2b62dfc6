import Hashing

/// Makes the hashes of a tree: for its writer, or of a view while the writer goes on.
///
/// Hashing what has ended writes the stale hashes of its pages, which nobody reads, and leaves their marks alone, so that
/// the writer may copy the pages meanwhile: a copy takes the marks over and not the stale hashes. Once it is done all pages
/// up to that generation count as hashed (`PagePool.hashedGeneration`), whatever their marks say. A copy made before that
/// is marked more than it need be: below such a mark may be a page that is hashed, of which the top is hashed once more,
/// as its hash lies in the page above: so until then it may not be written in its place either.
///
/// First it lists what is stale, which takes a small part of the time. From then on (`PagePool.listedGeneration`) it reads
/// of a page its shape, its fresh hashes, and the records that are stale. So the writer may set marks and references to
/// children in the page itself, if no view shows it: it takes the page over *early*, and keeps the marks of both
/// generations apart. A copy would be marked for both; as pages near the root are written again by each generation, marks
/// would pile up there until every page is looked at for every flush. And it notes in each page of that generation that it
/// is done with it (`Page.hashedFor`), which may be written in its place from then on.
///
/// Views are hashed in the order in which they were frozen: else a page that only an earlier one shows would count as
/// hashed. One thread at a time.
final class Hasher {
    private let pool: PagePool
    private let kernel: HashKernel
    private let batch = HashBatch()
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

    /// Hashes the tree of a generation that has ended, while the writer goes on.
    func hash(_ generation: Int64, below rootSlot: UInt32, meanwhile: () -> Void = {}) -> Digest {
        if let newest, newest.generation == generation { return newest.digest }
        precondition(generation > pool.hashedGeneration, "views are hashed in the order in which they were frozen")
        let digest = batch.hashStale(below: rootSlot, in: pool, with: kernel, noting: generation) {
            pool.listedGeneration = generation
            meanwhile()
        }
        note(generation, digest)
        return digest
    }

    /// Notes that all pages up to a frozen generation are hashed.
    func note(_ generation: Int64, _ digest: Digest) {
        newest = (generation, digest)
        pool.hashedGeneration = generation
    }
}
