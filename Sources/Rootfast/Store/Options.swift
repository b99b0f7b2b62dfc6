/// How a store is opened and kept.
public struct Options: Hashable, Sendable {
    /// A segment of the log that would outgrow this many bytes is sealed and the next begun. 4 KiB ... 4 GiB.
    public var segmentBytesMax = 64 << 20
    /// When commits are acknowledged and when they become durable; a single transaction may ask for more.
    public var durability = Durability.sync
    /// How often `write` tries a transaction that loses to another before it gives up. Who submits several at once and
    /// relies on their order sets 1: a transaction that waits for another attempt is overtaken.
    public var attemptsMax = 16
    /// How many outcomes of transactions with an id of their own are kept for `outcome(of:)`, the newest first.
    public var outcomeCountMax = 1_000_000
    /// How much memory the state's pages and long values may take, in bytes: 1 MiB or more. What does not fit is read
    /// from the disk when it is needed. A state that fits is never read twice.
    public var memoryBytesMax = 256 << 20
    /// What makes maintenance take a snapshot.
    public var compaction = CompactionTriggers()
    /// How long snapshots and sealed segments are kept.
    public var retention = Retention()
    /// Whether a thread of the store's own does maintenance; otherwise call `maintenance.step`.
    public var maintainsItself = true
    /// Whether `close` takes a snapshot where there is more than a little log since the last, so that the next opening
    /// takes milliseconds.
    public var snapshotsOnClose = true

    public init() {}

    func validate() throws(StoreError) {
        guard (4096...(4 << 30)).contains(segmentBytesMax), attemptsMax >= 1, outcomeCountMax >= 0,
            memoryBytesMax >= 1 << 20, compaction.isPossible
        else {
            throw StoreError(
                .invalidArgument, "An option is out of its range: \(self)",
                advice: "segmentBytesMax is 4 KiB to 4 GiB, memoryBytesMax 1 MiB or more, deadShare 0 to 1, "
                    + "the other triggers of compaction more than 0, attemptsMax 1 or more, outcomeCountMax 0 or more.")
        }
    }
}

/// What `Store.open` may do.
public enum OpenMode: Hashable, Sendable {
    /// Reads and writes a store that must be there.
    case readWrite
    /// The same, and makes the store if there is none.
    case createIfMissing
    /// Reads the store as it is on disk, changes nothing and takes no lock.
    case readOnly
}
