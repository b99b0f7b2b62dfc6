import CMemory
import Hashing

/// Values that are too long for a page, each in memory of its own, by number.
///
/// One thread at a time makes and removes; any number read what they have come by through a frozen page: the table's
/// chunks are never moved, and an entry is written before a page that refers to it is frozen. With `Paging`, the bytes of
/// a stored value may be out of memory, or about to leave it.
struct LongValues {
    private static let chunkCount = 1 << 14
    private static let countPerChunk = 1 << 14
    private static let tableBytes = chunkCount * MemoryLayout<UnsafeMutablePointer<Value>?>.stride
    private static let chunkBytes = countPerChunk * MemoryLayout<Value>.stride
    static let countMax = chunkCount * countPerChunk

    /// All zeros to begin with, as it lies in fresh memory of the system's.
    struct Value {
        /// Where the bytes are: 0 if they are not in memory, negative if they are about to leave it.
        var word: Int64
        var count: Int
        var digest: Digest
        /// Its number in the page store; 0 if it is not there.
        var id: UInt64
        /// Which leaf it belongs to: see `mark`.
        var leafMark: Int
        /// Whether a snapshot that holds it is durable, or it was read from the store.
        var isStored: Bool
        /// The generation that made it; 0 if it was read from the store.
        var generation: Int64
        /// The epoch in which it was last told to leave.
        var coolingStamp: Int64
    }

    private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Value>?>
    private let state: UnsafeMutablePointer<State>

    private struct State {
        /// Bytes of values in memory. Several threads touch it.
        var byteCount: Int64 = 0
        /// Behind the last number there is.
        var end = 0
    }

    init() {
        chunks = SystemMemory.map(Self.tableBytes).bindMemory(
            to: UnsafeMutablePointer<Value>?.self, capacity: Self.chunkCount)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    func free() {
        for number in 0..<state.pointee.end {
            guard let chunk = chunks[number / Self.countPerChunk] else { continue }
            Self.memory(of: chunk[number % Self.countPerChunk])?.deallocate()
        }
        for number in stride(from: 0, to: state.pointee.end, by: Self.countPerChunk) {
            if let chunk = chunks[number / Self.countPerChunk] { SystemMemory.unmap(chunk, Self.chunkBytes) }
        }
        SystemMemory.unmap(chunks, Self.tableBytes)
        state.deallocate()
    }

    /// Bytes of values in memory.
    var byteCount: Int { Int(rootfast_load(&state.pointee.byteCount)) }

    /// The entry of a number whose chunk is there.
    @inline(__always)
    subscript(number: UInt32) -> UnsafeMutablePointer<Value> {
        chunks[Int(number) / Self.countPerChunk].unsafelyUnwrapped + Int(number) % Self.countPerChunk
    }

    /// Readers see what was written before it was set.
    @inline(__always)
    func word(_ number: UInt32) -> Int64 { rootfast_load_acquire(&self[number].pointee.word) }
    func setWord(_ number: UInt32, _ word: Int64) { rootfast_store_release(&self[number].pointee.word, word) }
    /// Sets the word if it is `expected`; false if it is not.
    func exchangeWord(_ number: UInt32, _ expected: Int64, _ wanted: Int64) -> Bool {
        rootfast_exchange(&self[number].pointee.word, expected, wanted) != 0
    }

    /// Marks a leaf by its key: a value belongs to one leaf, as it goes when that changes. The mark is another in each
    /// process, so that nobody can look for two keys with the same.
    static func mark(ofLeaf key: UnsafeRawBufferPointer) -> Int {
        var hasher = Swift.Hasher()
        hasher.combine(bytes: key)
        return hasher.finalize()
    }

    /// Where the hash of a value is.
    func digest(_ number: UInt32) -> UnsafeMutablePointer<Digest> {
        UnsafeMutableRawPointer(self[number]).advanced(by: MemoryLayout<Value>.offset(of: \.digest)!)
            .assumingMemoryBound(to: Digest.self)
    }

    /// Makes the chunk of a number, unless it is there.
    func makeChunk(of number: UInt32) {
        let index = Int(number) / Self.countPerChunk
        state.pointee.end = max(state.pointee.end, Int(number) + 1)
        guard chunks[index] == nil else { return }
        chunks[index] = SystemMemory.map(Self.chunkBytes).bindMemory(to: Value.self, capacity: Self.countPerChunk)
    }

    /// The bytes of an entry; `nil` unless they are in memory to stay.
    @inline(__always)
    func bytes(_ number: UInt32) -> UnsafeRawBufferPointer? {
        let word = word(number)
        guard word > 0 else { return nil }
        return UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: Int(word)), count: self[number].pointee.count)
    }

    /// Copies bytes in; the entry has none yet.
    func fill(_ number: UInt32, _ source: UnsafeRawBufferPointer) {
        let base = UnsafeMutableRawPointer.allocate(byteCount: source.count, alignment: 8)
        base.copyMemory(from: source.baseAddress!, byteCount: source.count)
        rootfast_add(&state.pointee.byteCount, Int64(source.count))
        setWord(number, Int64(Int(bitPattern: base)))
    }

    /// Frees the bytes of an entry, if they are in memory.
    func drop(_ number: UInt32) {
        let value = self[number]
        guard let memory = Self.memory(of: value.pointee) else { return }
        setWord(number, 0)
        rootfast_add(&state.pointee.byteCount, -Int64(value.pointee.count))
        memory.deallocate()
    }

    private static func memory(of value: Value) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: Int(value.word & .max))
    }
}
