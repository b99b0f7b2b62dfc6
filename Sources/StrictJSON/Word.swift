/// Eight bytes at a time, the first of them lowest: the search for a byte that a JSON string cannot hold as it is.
///
/// A search returns a word with the high bit set in each byte found. Bytes above the first found may be marked by
/// mistake (a borrow), the first never: so ask for `firstIndex` alone.
/// Source: Hacker's Delight, 2nd edition, section 6-1.
@usableFromInline
package enum Word {
    @usableFromInline static let highBits: UInt64 = 0x8080_8080_8080_8080
    @usableFromInline static let spaces: UInt64 = 0x2020_2020_2020_2020
    @usableFromInline static let quotes: UInt64 = 0x2222_2222_2222_2222
    @usableFromInline static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C
    @usableFromInline static let ones: UInt64 = 0x0101_0101_0101_0101

    @inlinable @inline(__always)
    package static func load(_ base: UnsafeRawPointer, at offset: Int) -> UInt64 {
        UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Fewer than eight bytes, and spaces above them; reads no byte beyond.
    @inlinable @inline(__always)
    package static func load(_ base: UnsafeRawPointer, at offset: Int, count: Int) -> UInt64 {
        let shift = UInt64(truncatingIfNeeded: count) &* 8
        let padding = spaces &<< shift
        if count >= 4 {
            let low = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            let high = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset &+ count &- 4, as: UInt32.self))
            return UInt64(low) | UInt64(high) &<< (shift &- 32) | padding
        }
        guard count > 0 else { return padding }
        // One to three bytes: the first, the middle and the last, some of them the same.
        let first = UInt64(base.load(fromByteOffset: offset, as: UInt8.self))
        let middle = UInt64(base.load(fromByteOffset: offset &+ count / 2, as: UInt8.self))
        let last = UInt64(base.load(fromByteOffset: offset &+ count &- 1, as: UInt8.self))
        return first | middle &<< (UInt64(truncatingIfNeeded: count / 2) &* 8) | last &<< (shift &- 8) | padding
    }

    /// Marks `"`, `\` and U+0000–001F.
    @inlinable @inline(__always)
    package static func needingEscape(_ word: UInt64) -> UInt64 {
        let quote = word ^ quotes
        let backslash = word ^ backslashes
        let found =
            (word &- spaces) & ~word | (quote &- ones) & ~quote | (backslash &- ones) & ~backslash
        return found & highBits
    }

    /// Marks the bytes from 0x80 on.
    @inlinable @inline(__always)
    package static func nonASCII(_ word: UInt64) -> UInt64 { word & highBits }

    @inlinable @inline(__always)
    package static func firstIndex(_ found: UInt64) -> Int { found.trailingZeroBitCount &>> 3 }
}
