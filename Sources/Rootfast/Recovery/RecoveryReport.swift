/// What opening a store found.
public struct RecoveryReport: Hashable, Sendable {
    /// The snapshot that was gone on from; `nil` if the log was read from its beginning.
    public var snapshotID: UInt64?
    public var snapshotSequence: UInt64?
    /// Newer snapshots that were passed over, as they are not whole, in words.
    public var badSnapshots: [String] = []
    /// The flushes, records and bytes of log that were replayed.
    public var flushCount: Int
    public var recordCount: Int
    public var byteCount: Int
    /// What was dropped from the log's end, if its last flush had not become durable whole.
    public var tornTail: TornTailReport?
    /// Whether the store was made by this opening.
    public var isNew: Bool

    init(flushCount: Int, recordCount: Int, byteCount: Int, isNew: Bool) {
        self.flushCount = flushCount
        self.recordCount = recordCount
        self.byteCount = byteCount
        self.isNew = isNew
    }
}

/// The end of a log that was cut off in the middle of a flush. Nobody was told that this flush was durable.
public struct TornTailReport: Hashable, Sendable {
    /// The file and the byte at which it begins.
    public var place: StoreError.Place
    public var byteCount: Int
    public var reason: String
    /// The file it was copied to before it was dropped, relative to the store's folder. Absent if nothing was changed.
    public var copy: String?

    init(_ tail: Replay.TornTail, file: String, sequence: UInt64, copy: String?) {
        place = StoreError.Place(file: file, offset: tail.offset, sequence: sequence)
        byteCount = tail.end - tail.offset
        reason = tail.reason
        self.copy = copy
    }
}
