import CMemory
import Hashing

/// A connected piece of the tree as one flat buffer of `Page.frameBytes` bytes.
///
/// A page holds `count` sorted *entries* — a key with its value, or a reference to a child page — and the
/// `count - 1` *gaps* between neighbours. Each gap carries the first bit at which the keys on its two sides differ;
/// the binary tree of the page is the Cartesian tree of these bits (smallest on top), so gap `g` **is** the inner
/// node between entry `g` and entry `g + 1`. Links, dirty marks and hashes are kept per gap and per entry:
///
/// ```
/// offset  size
///      0     8  word        the generation that may write this page; 0 if the page is not in memory, and with the
///                          sign bit set if it is about to leave it
///      8     8  hashedFor   the last generation for which it was hashed while that of `word` may go on
///     16     4  slot        its own number in the page pool
///     20     2  heapStart   the heap of records grows down from the end to here
///     22     2  garbage     dead bytes in the heap
///     24     1  count       entries, 1 ... 56
///     25     1  room        entries the arrays below have room for
///     26     1  rootLink    link to the page's top node
///     27     1  isTakenEarly 1 if the generation of `word` took it over while the one before was being hashed
///     32     8  dirtyGaps   bit g: the hash of gap g is stale
///     40     8  dirtyEntries bit e: the hash of entry e is stale
///     48     8  earlierGaps and
///     56     8  earlierEntries  the marks of the generation before, where it was taken over early
///     64  4·room  search    per gap: bit (2), left link (1), right link (1)
///         4·room  refs      per entry: heap offset of its record, or child flag | slot
///        32·room  entry hashes
///        32·room  gap hashes (that of the top gap is kept by the parent page instead)
///                 free space, then the heap
/// record: key length (2), value length (2; 0xffff: long), key, value or value slot (4) and length (4)
/// ```
///
/// A link is a gap's index, or an entry's index with the high bit set. A look-up follows links by the key's bits,
/// touching a few dozen neighbouring bytes a page, and compares one key at the end.
struct Page {
    let base: UnsafeMutableRawPointer

    static let frameBytes = 4096
    static let headerBytes = 64
    static let entryBytes = 72
    /// More have no room.
    static let countMax = (frameBytes - headerBytes) / entryBytes
    /// Values longer than this live outside their page.
    static let inlineValueBytesMax = 768
    static let longValueMark: UInt16 = 0xffff
    static let recordHeaderBytes = 4
    static let longReferenceBytes = 8
    static let entryLinkFlag: UInt8 = 0x80
    static let childFlag: UInt32 = 0x8000_0000

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { self.base = base }

    @inline(__always)
    private func field<T: BitwiseCopyable>(_ offset: Int, _: T.Type = T.self) -> UnsafeMutablePointer<T> {
        (base + offset).assumingMemoryBound(to: T.self)
    }

    /// The generation of pages that were read from the store: older than any that writes.
    static let storedGeneration: Int64 = 1

    /// Readers see what was written before it was set.
    var word: Int64 {
        @inline(__always) get { rootfast_load_acquire(field(0)) }
        nonmutating set { rootfast_store_release(field(0), newValue) }
    }
    /// Sets the word if it is `expected`; false if it is not.
    func exchangeWord(_ expected: Int64, _ wanted: Int64) -> Bool {
        rootfast_exchange(field(0), expected, wanted) != 0
    }
    var generation: Int64 { word & .max }
    /// Set by whoever hashes a generation that has ended, when it is done with the page: what it read and wrote there before
    /// is over for whoever sees it.
    var hashedFor: Int64 {
        get { rootfast_load_acquire(field(8)) }
        nonmutating set { rootfast_store_release(field(8), newValue) }
    }
    var slot: UInt32 {
        get { field(16).pointee }
        nonmutating set { field(16).pointee = newValue }
    }
    var heapStart: Int {
        get { Int(field(20, UInt16.self).pointee) }
        nonmutating set { field(20).pointee = UInt16(truncatingIfNeeded: newValue) }
    }
    var garbage: Int {
        get { Int(field(22, UInt16.self).pointee) }
        nonmutating set { field(22).pointee = UInt16(truncatingIfNeeded: newValue) }
    }
    var count: Int {
        @inline(__always) get { Int(field(24, UInt8.self).pointee) }
        nonmutating set { field(24).pointee = UInt8(truncatingIfNeeded: newValue) }
    }
    var room: Int {
        @inline(__always) get { Int(field(25, UInt8.self).pointee) }
        nonmutating set { field(25).pointee = UInt8(truncatingIfNeeded: newValue) }
    }
    var rootLink: UInt8 {
        @inline(__always) get { field(26).pointee }
        nonmutating set { field(26).pointee = newValue }
    }
    var dirtyGaps: UInt64 {
        get { field(32).pointee }
        nonmutating set { field(32).pointee = newValue }
    }
    var dirtyEntries: UInt64 {
        get { field(40).pointee }
        nonmutating set { field(40).pointee = newValue }
    }

    /// The marks of the generation before. Of a meaning only where a page was taken over early, and until then hashed.
    var earlierGaps: UInt64 {
        get { field(48).pointee }
        nonmutating set { field(48).pointee = newValue }
    }
    var earlierEntries: UInt64 {
        get { field(56).pointee }
        nonmutating set { field(56).pointee = newValue }
    }
    var isTakenEarly: Bool {
        get { field(27, UInt8.self).pointee != 0 }
        nonmutating set { field(27).pointee = newValue ? UInt8(1) : 0 }
    }

    /// One inner node: the bit it tells apart and where each side leads.
    struct Gap {
        var bit: UInt16
        var left: UInt8
        var right: UInt8
    }

    var gaps: UnsafeMutablePointer<Gap> {
        @inline(__always) get { field(Self.headerBytes) }
    }
    var refs: UnsafeMutablePointer<UInt32> {
        @inline(__always) get { field(Self.headerBytes &+ 4 &* room) }
    }
    var entryHashes: UnsafeMutablePointer<Digest> { field(Self.headerBytes &+ 8 &* room) }
    var gapHashes: UnsafeMutablePointer<Digest> { field(Self.headerBytes &+ 40 &* room) }

    /// Bytes this page needs: header, arrays for `count` entries, live records.
    func usedBytes(frame: Int) -> Int {
        Self.headerBytes + Self.entryBytes * count + (frame - heapStart - garbage)
    }
}

// MARK: - Entries

extension Page {
    @inline(__always)
    func isChild(_ entry: Int) -> Bool { refs[entry] & Self.childFlag != 0 }

    /// The slot of the child page at `entry`. Requires `isChild(entry)`.
    @inline(__always)
    func child(_ entry: Int) -> UInt32 { refs[entry] & ~Self.childFlag }

    @inline(__always)
    func record(_ entry: Int) -> Record { Record(base: base + Int(refs[entry])) }

    func recordBytes(_ entry: Int) -> Int { isChild(entry) ? 0 : record(entry).byteCount }
}

/// A key and its value, or a reference to a long value, as they lie in a page's heap.
struct Record {
    let base: UnsafeMutableRawPointer

    var keyCount: Int {
        @inline(__always) get { Int(base.loadUnaligned(as: UInt16.self)) }
    }
    var valueMark: UInt16 { base.loadUnaligned(fromByteOffset: 2, as: UInt16.self) }
    var isLong: Bool { valueMark == Page.longValueMark }

    var key: UnsafeRawBufferPointer {
        @inline(__always) get { UnsafeRawBufferPointer(start: base + Page.recordHeaderBytes, count: keyCount) }
    }
    /// Where the value, or the reference to a long one, begins.
    var payload: UnsafeMutableRawPointer { base + (Page.recordHeaderBytes &+ keyCount) }
    var inlineValue: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: payload, count: Int(valueMark)) }
    var longValueSlot: UInt32 { payload.loadUnaligned(as: UInt32.self) }
    var longValueCount: Int { Int(payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)) }

    var byteCount: Int {
        Page.recordHeaderBytes + keyCount + (isLong ? Page.longReferenceBytes : Int(valueMark))
    }
}
