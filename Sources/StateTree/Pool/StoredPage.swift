import Hashing

/// The stored form of a page: what its hashes are made of, and nothing that can be computed.
///
/// ```
/// offset   size
///      0      1  format, 1
///      1      1  0
///      2      2  count of entries, 1 ... 127
///      4   2·(count - 1)  the bit of each gap
///                the entries, each:
///                  leaf:  key length (2, from 1), value length (2), key, value
///                  long:  key length (2, from 1), 0xffff (2), key, number (4), length (4), id (8), value hash (32)
///                  child: 0 (2), 0 (2), slot (4), id (8), hash (32)
///  end - 4    4  CRC-32C of all before
/// ```
///
/// Numbers are little-endian. A child's *slot* and a long value's *number* are the ones that the writer's pool gave
/// them; with the snapshot's counts they make up a pool that goes on where that one stood. An *id* is the number under
/// which the page store has it, from 1 and below 2^62.
struct StoredPage {
    struct Child {
        var slot: UInt32
        var id: UInt64
        var digest: Digest
    }
    struct LongValue {
        var number: UInt32
        var count: Int
        var id: UInt64
        var digest: Digest
        /// See `LongValues.mark`.
        var leafMark: Int
    }

    private let bytes: [UInt8]
    private let id: UInt64
    private var bits: [Int] = []
    private var entries: [Entry] = []
    private(set) var children: [Child] = []
    private(set) var longValues: [LongValue] = []

    private enum Entry {
        /// Where the record is, as it lies in a page.
        case record(Range<Int>)
        /// Where the key is.
        case long(key: Range<Int>, LongValue)
        case child(Child)
    }

    static let format: UInt8 = 1
    private static let headerBytes = 4
    private static let crcBytes = 4

    /// Takes stored bytes apart and checks all that memory safety depends on.
    init(_ bytes: [UInt8], id: UInt64) throws(PageError) {
        self.bytes = bytes
        self.id = id
        guard bytes.count >= Self.headerBytes + Self.crcBytes else { throw damage("it is too short") }
        guard Self.isWhole(bytes) else { throw damage("its crc does not match") }
        guard bytes[0] == Self.format, bytes[1] == 0 else { throw damage("its format is unknown") }
        let count = Int(number(at: 2, 2))
        guard (1...Page.countMax).contains(count) else { throw damage("it has \(count) entries") }
        var offset = Self.headerBytes
        for _ in 0..<(count - 1) {
            try require(offset + 2)
            bits.append(Int(number(at: offset, 2)))
            guard bits.last! < Limits.keyBitsMax else { throw damage("it has a bit beyond every key") }
            offset += 2
        }
        for _ in 0..<count { offset = try readEntry(at: offset) }
        guard offset == bytes.count - Self.crcBytes else { throw damage("something follows its entries") }
    }

    /// Whether the checksum at the end is that of the rest.
    static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= headerBytes + crcBytes else { return false }
        return bytes[..<(bytes.count - crcBytes)].withUnsafeBytes { CRC32C.checksum($0) } == crc(of: bytes)
    }

    /// The checksum at the end.
    static func crc(of bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes {
            UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: bytes.count - crcBytes, as: UInt32.self))
        }
    }

    private mutating func readEntry(at start: Int) throws(PageError) -> Int {
        try require(start + 4)
        let (keyCount, valueMark) = (Int(number(at: start, 2)), UInt16(number(at: start + 2, 2)))
        let keyStart = start + Page.recordHeaderBytes
        if keyCount == 0 {
            try require(keyStart + 44)
            guard valueMark == 0 else { throw damage("a child has a value") }
            let child = Child(
                slot: UInt32(number(at: keyStart, 4)), id: try storeNumber(at: keyStart + 4),
                digest: digest(at: keyStart + 12))
            children.append(child)
            entries.append(.child(child))
            return keyStart + 44
        }
        guard keyCount <= Limits.keyBytesMax else { throw damage("a key is too long") }
        let keyEnd = keyStart + keyCount
        if valueMark == Page.longValueMark {
            try require(keyEnd + 48)
            let value = LongValue(
                number: UInt32(number(at: keyEnd, 4)), count: Int(number(at: keyEnd + 4, 4)),
                id: try storeNumber(at: keyEnd + 8), digest: digest(at: keyEnd + 16),
                leafMark: bytes.withUnsafeBytes { LongValues.mark(ofLeaf: .init(rebasing: $0[keyStart..<keyEnd])) })
            guard (1...Limits.valueBytesMax).contains(value.count) else { throw damage("a long value cannot be") }
            longValues.append(value)
            entries.append(.long(key: keyStart..<keyEnd, value))
            return keyEnd + 48
        }
        guard Int(valueMark) <= Page.inlineValueBytesMax else { throw damage("a value is too long") }
        try require(keyEnd + Int(valueMark))
        entries.append(.record(start..<(keyEnd + Int(valueMark))))
        return keyEnd + Int(valueMark)
    }

    /// The hash of a page of one entry is that entry's, so pages of one could lead round in a ring. In a tree only the
    /// root has one, and never itself below it.
    func checkDescent(at slot: UInt32, isRoot: Bool) throws(PageError) {
        guard isRoot || entries.count > 1 else { throw damage("it has a single entry, and is not the root") }
        guard !children.contains(where: { $0.slot == slot }) else { throw damage("it is its own child") }
    }

    private func require(_ end: Int) throws(PageError) {
        guard end <= bytes.count - Self.crcBytes else { throw damage("it ends in an entry") }
    }

    private func number(at offset: Int, _ count: Int) -> UInt64 {
        (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }

    /// The id of a page or a long value.
    private func storeNumber(at offset: Int) throws(PageError) -> UInt64 {
        let id = number(at: offset, 8)
        guard id > 0, id < StoreNumbers.end else { throw damage("it refers to what has no number") }
        return id
    }

    private func digest(at offset: Int) -> Digest { Digest(bytes: bytes[offset..<(offset + 32)])! }

    private func damage(_ reason: String) -> PageError { PageError(.damaged, .page, id, reason) }
}

// MARK: - Into memory

extension StoredPage {
    /// Lays the page out in an empty frame, hashes all of it, and compares.
    func layOut(
        in page: Page, expecting digest: Digest, _ values: LongValues, _ kernel: HashKernel
    ) throws(PageError) {
        try layOut(in: page)
        guard HashBatch().hash(whole: page, values, with: kernel) == digest else {
            throw damage("its hash is not the one that its parent has")
        }
    }

    /// Lays the page out in an empty frame, unverified.
    func layOut(in page: Page) throws(PageError) {
        let fits = bytes.withUnsafeBytes { bytes in
            let image = image(bytes)
            guard image.fits else { return false }
            image.encode(into: page, slot: 0, generation: Page.storedGeneration)
            return true
        }
        guard fits else { throw damage("it is too large for a page") }
    }

    private func image(_ bytes: UnsafeRawBufferPointer) -> PageImage {
        func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
        let entries = entries.map { entry in
            switch entry {
            case .record(let range): PageImage.Entry(content: .record(slice(range)), hash: .zero, isDirty: true)
            case .long(let key, let value):
                PageImage.Entry(
                    content: .new(key: slice(key), .long(slot: value.number, count: value.count)), hash: .zero,
                    isDirty: true)
            case .child(let child):
                PageImage.Entry(content: .child(child.slot), hash: child.digest, isDirty: false)
            }
        }
        return PageImage(
            entries: entries, gaps: bits.map { PageImage.Gap(bit: $0, hash: .zero, isDirty: true) })
    }
}

// MARK: - From memory

extension StoredPage {
    /// The stored form of a hashed page.
    static func encode(_ page: Page, _ values: LongValues, idOfPage: (UInt32) -> UInt64) -> [UInt8] {
        var bytes: [UInt8] = [format, 0]
        bytes.reserveCapacity(2048)
        append(UInt64(page.count), 2, to: &bytes)
        for i in 0..<(page.count - 1) { append(UInt64(page.gaps[i].bit), 2, to: &bytes) }
        for i in 0..<page.count {
            if page.isChild(i) {
                append(0, 4, to: &bytes)
                append(UInt64(page.child(i)), 4, to: &bytes)
                append(idOfPage(page.child(i)), 8, to: &bytes)
                page.entryHashes[i].withUnsafeBytes { bytes += $0 }
                continue
            }
            let record = page.record(i)
            guard record.isLong else {
                bytes += UnsafeRawBufferPointer(start: record.base, count: record.byteCount)
                continue
            }
            let value = values[record.longValueSlot]
            append(UInt64(record.keyCount), 2, to: &bytes)
            append(UInt64(Page.longValueMark), 2, to: &bytes)
            bytes += record.key
            append(UInt64(record.longValueSlot), 4, to: &bytes)
            append(UInt64(record.longValueCount), 4, to: &bytes)
            append(value.pointee.id, 8, to: &bytes)
            value.pointee.digest.withUnsafeBytes { bytes += $0 }
        }
        append(UInt64(bytes.withUnsafeBytes { CRC32C.checksum($0) }), 4, to: &bytes)
        return bytes
    }

    private static func append(_ number: UInt64, _ count: Int, to bytes: inout [UInt8]) {
        for i in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * i))) }
    }
}
