package import Hashing

/// The first line of a segment. It repeats where the segment before it ended and belongs to no flush.
///
/// ```
/// {"op":"SEGMENT","format":1,"store":"<uuid>","segment":7,"timestamp":…,"n":410,"seq":198,
///  "root":"…","chain":"…","crc":"…"}                                       (one line, no spaces)
/// ```
/// `crc` covers the line's bytes up to but excluding `,"crc"`.
package struct SegmentHeader: Hashable, Sendable {
    /// The one format that this code writes and reads.
    package static let formatKnown: UInt64 = 1

    package var store: StoreID
    package var segment: UInt64
    /// Whole microseconds since 1970.
    package var timestamp: UInt64
    /// The last record, commit, root and chain of the segment before.
    package var n: UInt64
    package var seq: UInt64
    package var root: Digest
    package var chain: Digest

    package init(
        store: StoreID, segment: UInt64, timestamp: UInt64, n: UInt64, seq: UInt64, root: Digest, chain: Digest
    ) {
        self.store = store
        self.segment = segment
        self.timestamp = timestamp
        self.n = n
        self.seq = seq
        self.root = root
        self.chain = chain
    }
}
