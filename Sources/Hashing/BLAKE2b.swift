public import CHashing

/// BLAKE2b (RFC 7693) with a 32-byte digest and no key: the hash `H` of every format here.
///
/// One message takes about 90 ns a 128-byte block. Many at once are cheaper: see `HashKernel`.
public enum BLAKE2b {
    /// The digest of `bytes`, which may be empty.
    @inlinable
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var digest = Digest()
        withUnsafeMutableBytes(of: &digest.words) { words in
            rootfast_blake2b256(
                bytes.baseAddress, bytes.count, words.baseAddress!.assumingMemoryBound(to: UInt8.self))
        }
        return digest
    }

    /// The digest of `bytes`; copies them only if they are not contiguous.
    @inlinable
    public static func hash(_ bytes: some Collection<UInt8>) -> Digest {
        bytes.withContiguousStorageIfAvailable { hash(UnsafeRawBufferPointer($0)) }
            ?? Array(bytes).withUnsafeBytes { hash($0) }
    }
}
