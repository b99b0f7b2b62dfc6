public import CHashing

/// An inner node to hash: `digest = H(0x01 ‖ u32(bit) ‖ left ‖ right)`, with three pointers to 32 bytes each, of any
/// alignment.
public typealias NodeJob = rootfast_node_job

/// A leaf to hash: `digest = H(0x00 ‖ u32(key length) ‖ key ‖ value digest)`; a key has 1...1024 bytes.
public typealias LeafJob = rootfast_leaf_job

/// A message of any length to hash: `digest = H(message)`.
public typealias MessageJob = rootfast_message_job

/// Batches. The jobs of one call are independent of each other and done in any order: a digest may overwrite an input
/// of its own job, but must not touch an input or a digest of another.
///
/// A kernel runs two vectors of lanes side by side; a smaller batch leaves lanes idle. The costs below were measured on
/// one core of an AMD EPYC 9005 at 4.1 GHz.
extension HashKernel {
    /// Hashes inner nodes: a node takes 16 ns in full lanes of eight, 38 ns in lanes of four, and alone 98 ns.
    @inlinable
    public func hashNodes(_ jobs: UnsafeBufferPointer<NodeJob>) {
        rootfast_hash_nodes(code, jobs.baseAddress, jobs.count)
    }

    /// Hashes leaves. One with a key of up to 91 bytes fits one block, and takes 24 ns in full lanes of eight, 46 ns in
    /// lanes of four, and alone 98 ns.
    @inlinable
    public func hashLeaves(_ jobs: UnsafeBufferPointer<LeafJob>) {
        rootfast_hash_leaves(code, jobs.baseAddress, jobs.count)
    }

    /// Hashes messages of any lengths, mixed. The cost goes by their 128-byte blocks: 16 ns a block in full lanes of
    /// eight, 39 ns in lanes of four, and alone 90 ns, with 6 ns a message on top.
    @inlinable
    public func hashMessages(_ jobs: UnsafeBufferPointer<MessageJob>) {
        rootfast_hash_messages(code, jobs.baseAddress, jobs.count)
    }
}

// The jobs in Swift's own words; whoever wants the fields themselves imports CHashing.

extension NodeJob {
    @inlinable
    public init(
        bit: UInt32, left: UnsafePointer<UInt8>, right: UnsafePointer<UInt8>, digest: UnsafeMutablePointer<UInt8>
    ) {
        self.init(left: left, right: right, digest: digest, bit: bit)
    }
}

extension LeafJob {
    /// - Parameter key: 1...1024 bytes.
    @inlinable
    public init(
        key: UnsafeBufferPointer<UInt8>, valueDigest: UnsafePointer<UInt8>, digest: UnsafeMutablePointer<UInt8>
    ) {
        self.init(
            key: key.baseAddress, key_length: UInt32(key.count), value_digest: valueDigest, digest: digest)
    }
}

extension MessageJob {
    @inlinable
    public init(message: UnsafeBufferPointer<UInt8>, digest: UnsafeMutablePointer<UInt8>) {
        self.init(message: message.baseAddress, length: message.count, digest: digest)
    }
}
