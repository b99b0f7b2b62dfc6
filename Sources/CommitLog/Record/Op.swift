/// What a record of a flush says. A SEGMENT line is no record of a flush: see `SegmentHeader`.
package enum Op: UInt8, Sendable {
    /// What a transaction changes, and, if it is voted, what it read.
    case prepare
    /// The transaction took effect, as the commit of this sequence.
    case commit
    /// A voted transaction was given up.
    case abort
}
