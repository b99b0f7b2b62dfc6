package import Hashing

/// What the last record of a flush carries.
package struct FlushEnd: Hashable, Sendable {
    /// The root of the state after the flush.
    package var root: Digest
    /// The last `n` known to be durable when the flush was written.
    package var synced: UInt64
    package var chain: Digest
    package var crc: UInt32

    package init(root: Digest, synced: UInt64, chain: Digest, crc: UInt32) {
        self.root = root
        self.synced = synced
        self.chain = chain
        self.crc = crc
    }
}
