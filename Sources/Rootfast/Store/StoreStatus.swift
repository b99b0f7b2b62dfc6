import CommitLog
public import Hashing
import StateTree

/// Where an open store stands.
public struct StoreStatus: Hashable, Sendable {
    public var uuid: String
    /// The last commit that is durable.
    public var sequence: UInt64
    public var root: Digest
    public var keyCount: Int
    /// The newest segment, and the last record in the log.
    public var segment: UInt64
    public var recordNumber: UInt64
    public var inDoubtCount: Int
    /// Memory held for the state, in bytes.
    public var memoryBytes: Int
    /// Why nothing is written any more, if a write has failed.
    public var poison: String?

    init(_ committer: Committer, uuid: String) {
        self.uuid = uuid
        sequence = committer.position.seq
        root = committer.position.root
        keyCount = committer.durableKeyCount
        segment = committer.position.segment
        recordNumber = committer.position.n
        inDoubtCount = committer.inDoubt.count
        memoryBytes = committer.memoryBytes
        poison = committer.poison?.message
    }
}
