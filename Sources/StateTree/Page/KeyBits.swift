/// A key's bits: each byte as a 1 followed by its eight bits, high bit first; then one 0.
///
/// So bit `9·i` tells whether the key has a byte `i`, byte order is kept, and no key's bits are a prefix of
/// another's. A bit past the end counts as 0.
enum KeyBits {
    /// The bit at `index` of a key: 0 or 1.
    @inline(__always)
    static func bit(_ index: Int, of key: UnsafeRawBufferPointer) -> Int {
        let byteIndex = (index &* 7282) &>> 16  // index / 9, exact below 16,384
        guard byteIndex < key.count else { return 0 }
        let group = 0x100 | Int(key.baseAddress.unsafelyUnwrapped.load(fromByteOffset: byteIndex, as: UInt8.self))
        return (group &>> (8 &- (index &- 9 &* byteIndex))) & 1
    }

    /// The first bit at which two keys differ, or `nil` if they are equal.
    static func firstDifference(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int? {
        let common = min(a.count, b.count)
        var i = 0
        while i &+ 8 <= common,
            a.loadUnaligned(fromByteOffset: i, as: UInt64.self)
                == b.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        {
            i &+= 8
        }
        while i < common {
            let difference = a[i] ^ b[i]
            if difference != 0 { return 9 * i + 1 + difference.leadingZeroBitCount }
            i &+= 1
        }
        return a.count == b.count ? nil : 9 * common
    }

    static func equal(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        a.count == b.count && firstDifference(a, b) == nil
    }

    /// Byte order, the order of the state.
    static func precedes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
        guard let difference = firstDifference(a, b) else { return false }
        return bit(difference, of: a) == 0
    }
}
