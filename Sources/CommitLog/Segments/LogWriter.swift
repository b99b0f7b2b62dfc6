import StrictJSON

/// Appends flushes to the newest segment and begins a new one when it is full.
///
/// A flush is written at once over bytes that were zeroed before, so that making it durable changes no file length:
/// `reserve` gets the room ready, `write` and `sync` do the rest. A segment is preallocated in growing steps and cut
/// to its length when it is sealed.
package final class LogWriter {
    package struct Options: Sendable {
        /// A segment that would outgrow this is sealed. One flush larger than this makes a segment of its own.
        package var segmentBytesMax: Int
        package init(segmentBytesMax: Int) { self.segmentBytesMax = segmentBytesMax }
    }

    private static let zeroedBytesMin = 64 << 10
    private static let zeroedBytesMax = 4 << 20

    private let disk: any Disk
    private let options: Options
    private var file: any DiskFile
    private var zeroedEnd: Int
    private var zeroedStep = zeroedBytesMin
    /// Where the first flush of the segment goes, or went.
    private var firstOffset: Int
    /// Where the log stands once what was written is durable.
    package private(set) var tip: LogTip

    /// Goes on where a recovered log ends. `tip.segment` must be there, with nothing but zeros behind `tip.offset`;
    /// its header ends at `firstOffset`.
    package init(_ disk: any Disk, at tip: LogTip, firstOffset: Int, options: Options) throws(DiskError) {
        let name = LogNames.segment(tip.segment)
        guard let file = try disk.open(name, .write) else { throw DiskError(call: "open", name: name, errno: 2) }
        self.disk = disk
        self.options = options
        self.tip = tip
        self.firstOffset = firstOffset
        self.file = file
        zeroedEnd = try file.byteCount()
    }

    /// Makes the first segment of a new store, and with it `store.json`: the store is there once this returns.
    package static func create(_ disk: any Disk, _ tip: LogTip) throws(DiskError) -> LogTip {
        try disk.makeFolder(LogNames.folder)
        try disk.syncFolder("")
        return try beginSegment(disk, after: tip).tip
    }

    /// Gets room ready for a flush of at most `byteCount` bytes; begins a new segment if the newest is full.
    ///
    /// Lack of room shows here, before anything is written, and may be tried again when there is room.
    package func reserve(_ byteCount: Int, timestamp: UInt64) throws(DiskError) {
        if tip.offset > firstOffset, tip.offset + byteCount > options.segmentBytesMax {
            try rotate(timestamp: timestamp)
        }
        let end = tip.offset + byteCount
        guard end > zeroedEnd else { return }
        let target = max(end, min(zeroedEnd + zeroedStep, max(options.segmentBytesMax, end)))
        try file.zeroFill(from: zeroedEnd, to: target)
        zeroedEnd = target
        zeroedStep = min(zeroedStep * 2, Self.zeroedBytesMax)
    }

    /// Writes a flush; it is durable only after `sync`.
    package func write(_ flush: UnsafeRawBufferPointer, endingAt tip: LogTip) throws(DiskError) {
        try file.write(flush, at: self.tip.offset)
        self.tip = tip
    }

    package func sync() throws(DiskError) {
        try file.sync()
        tip.synced = tip.n
    }

    /// Seals the newest segment and begins the next. Requires that all that was written is durable.
    package func rotate(timestamp: UInt64) throws(DiskError) {
        precondition(tip.synced == tip.n)
        try cut()
        var next = tip
        next.timestamp = max(timestamp, tip.timestamp)
        (tip, file, zeroedEnd) = try Self.beginSegment(disk, after: next)
        zeroedStep = Self.zeroedBytesMin
        firstOffset = tip.offset
    }

    /// Cuts the newest segment to its length and notes the log's end in `store.json`. The writer is done then.
    package func close() throws(DiskError) {
        precondition(tip.synced == tip.n)
        try cut()
        try Manifest(store: tip.store, segment: tip.segment, closed: .init(n: tip.n, chain: tip.chain)).write(to: disk)
    }

    private func cut() throws(DiskError) {
        try file.truncate(to: tip.offset)
        try file.sync()
        zeroedEnd = tip.offset
    }

    /// Makes a segment that goes on after `tip`, durable before `store.json` names it.
    private static func beginSegment(
        _ disk: any Disk, after tip: LogTip
    ) throws(DiskError) -> (tip: LogTip, file: any DiskFile, zeroedEnd: Int) {
        let header = SegmentHeader(
            store: tip.store, segment: tip.segment + 1, timestamp: tip.timestamp, n: tip.n, seq: tip.seq,
            root: tip.root, chain: tip.chain)
        var line = ByteBuffer(capacity: 512)
        header.append(to: &line)

        try disk.remove(LogNames.nextSegment)
        let draft = try disk.open(LogNames.nextSegment, .create)!
        try draft.zeroFill(from: 0, to: zeroedBytesMin)
        try draft.write(line.bytes, at: 0)
        try draft.sync()
        let name = LogNames.segment(header.segment)
        try disk.rename(LogNames.nextSegment, to: name)
        try disk.syncFolder(LogNames.folder)
        try Manifest(store: tip.store, segment: header.segment).write(to: disk)
        return (LogTip(header, offset: line.count), try disk.open(name, .write)!, zeroedBytesMin)
    }
}
