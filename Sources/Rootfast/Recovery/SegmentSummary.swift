import CommitLog

/// One segment of the log, as `check` saw it.
public struct SegmentSummary: Hashable, Sendable {
    public var number: UInt64
    /// The file, relative to the store's folder.
    public var file: String
    /// Bytes of the header and the flushes, without what is preallocated.
    public var byteCount = 0
    public var flushCount = 0
    public var recordCount = 0
    /// The sequences committed in it: none if `lastSequence` is less than `firstSequence`.
    public var firstSequence: UInt64
    public var lastSequence: UInt64

    init(number: UInt64, file: String, firstSequence: UInt64) {
        self.number = number
        self.file = file
        self.firstSequence = firstSequence
        lastSequence = firstSequence - 1
    }

    mutating func add(_ flush: SegmentReader.Flush) {
        flushCount += 1
        recordCount += flush.records.records.count
    }
}
