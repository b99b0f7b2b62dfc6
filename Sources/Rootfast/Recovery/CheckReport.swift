public import Hashing

/// What `Store.check` is at.
public enum CheckStage: Hashable, Sendable {
    /// Bytes of the log.
    case log
    /// Pages of the state file.
    case state
}

/// What `Store.check` found.
public struct CheckReport: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        /// Every record, crc, chain and root is right.
        case sound
        /// Sound, but there is a torn tail to be dropped, or a transaction to be decided.
        case wantsAttention
        /// Something that was durable is not there, or not as it was.
        case damaged
    }

    public var verdict: Verdict
    /// The first damage, with its place and the command to run next; `nil` unless `verdict` is `damaged`.
    public var damage: StoreError?
    /// Whether somebody has the store open for writing. What is checked then is the log up to its last flush that is
    /// known to be durable.
    public var isBeingWritten: Bool
    /// What follows holds if the verdict is not `damaged`.
    public var uuid = ""
    public var sequence: UInt64 = 0
    public var root = Digest.zero
    public var keyCount = 0
    public var flushCount = 0
    public var recordCount = 0
    public var segments: [SegmentSummary] = []
    public var inDoubt: [InDoubtTransaction] = []
    public var tornTail: TornTailReport?
    /// Whether the store was closed cleanly.
    public var isClosed = false
    /// Whether only the log since the newest snapshot was verified.
    public var isQuick = false
    /// The snapshots in the state file, the oldest first, and how much of it was verified.
    public var snapshots: [CheckedSnapshot] = []
    public var pageCount = 0
    public var longValueCount = 0
    public var outcomeCount = 0
    /// Files that maintenance is about to remove.
    public var leftOver: [String] = []
}
