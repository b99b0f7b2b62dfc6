/// One record of a parsed line; `txID` and `reason` are valid as long as the bytes of a `ParsedChange`.
package struct ParsedRecord {
    package var op: Op
    package var n: UInt64
    package var txID: UnsafeRawBufferPointer
    /// Whole microseconds since 1970.
    package var timestamp: UInt64
    /// PREPARE: a durable vote.
    package var isVoted = false
    /// COMMIT, ABORT: an operator decided by hand.
    package var isResolved = false
    /// COMMIT: the commit's sequence; 0 in the others.
    package var seq: UInt64 = 0
    /// ABORT: why; empty in the others.
    package var reason = UnsafeRawBufferPointer(start: nil, count: 0)
    /// PREPARE: which of `ParsedFlush.changes` are its own; empty in the others.
    package var changes: Range<Int> = 0..<0
    /// PREPARE: which of `ParsedFlush.reads` are its own; empty in the others.
    package var reads: Range<Int> = 0..<0
    /// The last record of a flush alone has one.
    package var flushEnd: FlushEnd?
}
