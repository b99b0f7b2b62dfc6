package import Hashing
import StrictJSON

/// Where a log stands: what the next flush builds on.
package struct LogTip: Hashable, Sendable {
    package var store: StoreID
    package var segment: UInt64
    /// Where the next flush goes in the segment's file.
    package var offset: Int
    /// The last record, commit, root, chain and timestamp.
    package var n: UInt64
    package var seq: UInt64
    package var root: Digest
    package var chain: Digest
    package var timestamp: UInt64
    /// The last record known to be durable.
    package var synced: UInt64

    /// Before the first flush of a new store. `root` is that of the empty state.
    package init(newStore store: StoreID, root: Digest, timestamp: UInt64) {
        self.init(
            store: store, segment: 0, offset: 0, n: 0, seq: 0, root: root, chain: Self.firstChain(store),
            timestamp: timestamp, synced: 0)
    }

    /// Where all is durable.
    package init(
        store: StoreID, segment: UInt64, offset: Int, n: UInt64, seq: UInt64, root: Digest, chain: Digest,
        timestamp: UInt64
    ) {
        self.init(
            store: store, segment: segment, offset: offset, n: n, seq: seq, root: root, chain: chain,
            timestamp: timestamp, synced: n)
    }

    /// Behind the header of the segment that goes on from here.
    package var atNextSegment: LogTip {
        var line = ByteBuffer(capacity: 512)
        let header = SegmentHeader(
            store: store, segment: segment + 1, timestamp: timestamp, n: n, seq: seq, root: root, chain: chain)
        header.append(to: &line)
        return LogTip(header, offset: line.count)
    }

    /// At the start of a segment, behind its header.
    package init(_ header: SegmentHeader, offset: Int) {
        self.init(
            store: header.store, segment: header.segment, offset: offset, n: header.n, seq: header.seq,
            root: header.root, chain: header.chain, timestamp: header.timestamp, synced: header.n)
    }

    private init(
        store: StoreID, segment: UInt64, offset: Int, n: UInt64, seq: UInt64, root: Digest, chain: Digest,
        timestamp: UInt64, synced: UInt64
    ) {
        self.store = store
        self.segment = segment
        self.offset = offset
        self.n = n
        self.seq = seq
        self.root = root
        self.chain = chain
        self.timestamp = timestamp
        self.synced = synced
    }

    /// The chain before the first flush: H("rootfast 1" ‖ uuid bytes).
    package static func firstChain(_ store: StoreID) -> Digest {
        BLAKE2b.hash(Array("rootfast 1".utf8) + store.bytes)
    }

    /// The chain after a flush: H(chain before as 32 bytes ‖ the flush up to but excluding `,"chain"`).
    package static func chain(_ previous: Digest, _ flush: UnsafeRawBufferPointer) -> Digest {
        var stream = BLAKE2b.Stream()
        previous.withUnsafeBytes { stream.update($0) }
        stream.update(flush)
        return stream.finish()
    }
}
