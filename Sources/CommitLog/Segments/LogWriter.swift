import StrictJSON

/// Appends flushes to the newest segment and begins a new one when it is full.
///
/// A flush is written at once over bytes that were zeroed before, so that making it durable changes no file length. Two
/// threads may use a writer side by side: one gets room ready (`reserve`, and `rotate` while nothing is being written),
/// the other takes flushes to the disk (`write`, `sync`). A third may call `makeAhead` at any time.
///
/// `@unchecked Sendable`, because `tip` belongs to the thread that writes, what `rotate` and `close` change is handed
/// over by whoever calls these, and `room` takes care of itself.
package final class LogWriter: @unchecked Sendable {
    package struct Options: Sendable {
        /// A segment that would outgrow this is sealed. One flush larger than this makes a segment of its own.
        package var segmentBytesMax: Int
        package init(segmentBytesMax: Int) { self.segmentBytesMax = segmentBytesMax }
    }

    private let disk: any Disk
    private let options: Options
    private var file: any DiskFile
    private let room: Preallocation
    /// Where the first flush of the segment goes, or went.
    private var firstOffset: Int
    /// Where the log stands once what was written is durable.
    package private(set) var tip: LogTip

    /// Goes on where a recovered log ends. `tip.segment` must be there, with nothing but zeros behind `tip.offset`;
    /// its header ends at `firstOffset`.
    package init(_ disk: any Disk, at tip: LogTip, firstOffset: Int, options: Options) throws(DiskError) {
        let name = LogNames.segment(tip.segment)
        guard let file = try disk.open(name, .flushes) else { throw DiskError(call: "open", name: name, errno: 2) }
        self.disk = disk
        self.options = options
        self.tip = tip
        self.firstOffset = firstOffset
        self.file = file
        room = Preallocation(
            disk, newest: .init(name: name, file: file, end: try file.byteCount()), usedEnd: tip.offset,
            segmentBytesMax: options.segmentBytesMax)
    }

    /// Makes the first segment of a new store, and with it `store.json`: the store is there once this returns.
    package static func create(_ disk: any Disk, _ tip: LogTip) throws(DiskError) -> LogTip {
        try disk.makeFolder(LogNames.folder)
        try disk.syncFolder("")
        return try beginSegment(disk, after: tip, in: nil).tip
    }

    // MARK: - Room

    /// Whether a flush of at most `byteCount` bytes at `offset` has to go to a new segment.
    package func needsRotation(at offset: Int, _ byteCount: Int) -> Bool {
        offset > firstOffset && offset + byteCount > options.segmentBytesMax
    }

    /// Whether `reserve` would find room and not touch the disk.
    package func hasRoom(at offset: Int, _ byteCount: Int) -> Bool { room.hasRoom(through: offset + byteCount) }

    /// Gets room ready in the newest segment for a flush of at most `byteCount` bytes at `offset`.
    ///
    /// Lack of room shows here, before anything is written, and may be tried again when there is room.
    package func reserve(at offset: Int, _ byteCount: Int) throws(DiskError) {
        try room.reserve(through: offset + byteCount)
    }

    /// Whether `makeAhead` has something to do.
    package var isRoomDue: Bool { room.isDue }
    /// Makes some room ahead of use, so that `reserve` finds it there. Does nothing once the writer is closed, and
    /// keeps no hold of the disk.
    package var makeAhead: @Sendable () -> Void { { [room] in room.makeAhead() } }

    /// Whether the newest segment has no flush.
    package var isAtSegmentStart: Bool { tip.offset == firstOffset }

    /// Seals the newest segment and begins the next. Requires that all that was written is durable.
    package func rotate(timestamp: UInt64) throws(DiskError) {
        precondition(tip.synced == tip.n)
        let spare = try room.cut(to: tip.offset)
        var next = tip
        next.timestamp = max(timestamp, tip.timestamp)
        let begun = try Self.beginSegment(disk, after: next, in: spare)
        (tip, file, firstOffset) = (begun.tip, begun.room.file, begun.tip.offset)
        room.begin(begun.room, usedEnd: tip.offset)
    }

    // MARK: - Flushes

    /// Writes a flush; it is durable only after `sync`.
    package func write(_ flush: UnsafeRawBufferPointer, endingAt tip: LogTip) throws(DiskError) {
        try file.write(flush, at: self.tip.offset)
        self.tip = tip
    }

    package func sync() throws(DiskError) {
        try file.sync()
        tip.synced = tip.n
    }

    /// Cuts the newest segment to its length and notes the log's end in `store.json`. The writer is done then.
    package func close() throws(DiskError) {
        precondition(tip.synced == tip.n)
        defer { room.end() }
        let spare = try room.cut(to: tip.offset)
        if spare != nil { try disk.remove(LogNames.nextSegment) }
        try Manifest(store: tip.store, segment: tip.segment, closed: .init(n: tip.n, chain: tip.chain)).write(to: disk)
    }

    /// Lets go of the disk and leaves the log as it is: after a failure, that is for the next opening to look at. The writer
    /// is done then.
    package func letGo() { room.end() }

    /// Makes a segment that goes on after `tip`, durable before `store.json` names it.
    private static func beginSegment(
        _ disk: any Disk, after tip: LogTip, in spare: Preallocation.Room?
    ) throws(DiskError) -> (tip: LogTip, room: Preallocation.Room) {
        let header = SegmentHeader(
            store: tip.store, segment: tip.segment + 1, timestamp: tip.timestamp, n: tip.n, seq: tip.seq,
            root: tip.root, chain: tip.chain)
        var line = ByteBuffer(capacity: 512)
        header.append(to: &line)

        var draft: any DiskFile
        if let spare {
            draft = spare.file
        } else {
            try disk.remove(LogNames.nextSegment)
            draft = try disk.open(LogNames.nextSegment, .create)!
            try draft.zeroFill(from: 0, to: Preallocation.stepBytesMin)
        }
        try draft.write(line.bytes, at: 0)
        try draft.sync()
        let name = LogNames.segment(header.segment)
        try disk.rename(LogNames.nextSegment, to: name)
        do throws(DiskError) {
            try disk.syncFolder(LogNames.folder)
            let file = try disk.open(name, .flushes)!
            try Manifest(store: tip.store, segment: header.segment).write(to: disk)
            let room = Preallocation.Room(name: name, file: file, end: spare?.end ?? Preallocation.stepBytesMin)
            return (LogTip(header, offset: line.count), room)
        } catch {
            // If it is sure that the log goes on in the segment before, the new one must not be taken for its continuation.
            guard let named = newestNamed(on: disk), named < header.segment else { throw error.asFatal }
            try withdraw(segment: name, from: disk)
            throw error
        }
    }

    /// The segment that `store.json` names, 0 if there is none; `nil` if that cannot be told.
    private static func newestNamed(on disk: any Disk) -> UInt64? {
        do { return try Manifest.read(from: disk)?.segment ?? 0 } catch { return nil }
    }

    /// Takes back a segment that `store.json` does not name. If that fails, nothing may be written any more, so it is
    /// not told as lack of room.
    private static func withdraw(segment name: String, from disk: any Disk) throws(DiskError) {
        do throws(DiskError) {
            try disk.remove(name)
            try disk.syncFolder(LogNames.folder)
        } catch {
            throw error.asFatal
        }
    }
}

extension DiskError {
    /// The same as an error of the disk itself, after which nothing may be written: not as lack of room, which passes.
    fileprivate var asFatal: DiskError { DiskError(call: call, name: name, errno: 5) }
}
