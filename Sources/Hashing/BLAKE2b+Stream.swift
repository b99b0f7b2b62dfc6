public import CHashing

extension BLAKE2b {
    /// The digest of a message that comes in pieces. A copy is a fork: both go on from the same prefix.
    public struct Stream: Sendable {
        @usableFromInline var state = rootfast_blake2b_stream()

        /// The stream of the empty message.
        @inlinable
        public init() { rootfast_blake2b_init(&state) }

        /// Appends `bytes`, which may be empty.
        @inlinable
        public mutating func update(_ bytes: UnsafeRawBufferPointer) {
            rootfast_blake2b_update(&state, bytes.baseAddress, bytes.count)
        }

        /// Appends `bytes`; copies them only if they are not contiguous.
        @inlinable
        public mutating func update(_ bytes: some Collection<UInt8>) {
            if bytes.withContiguousStorageIfAvailable({ update(UnsafeRawBufferPointer($0)) }) == nil {
                Array(bytes).withUnsafeBytes { update($0) }
            }
        }

        /// The digest of everything so far, at the cost of one block. The stream can go on afterwards.
        @inlinable
        public func finish() -> Digest {
            var digest = Digest()
            withUnsafePointer(to: state) { state in
                Swift.withUnsafeMutableBytes(of: &digest.words) { words in
                    rootfast_blake2b_final(state, words.baseAddress!.assumingMemoryBound(to: UInt8.self))
                }
            }
            return digest
        }
    }
}
