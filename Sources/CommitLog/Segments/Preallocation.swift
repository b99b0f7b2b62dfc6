import Threading

/// Zeroed room ahead of the log's end: behind it in the newest segment and, once that is half full, in the file that
/// the next segment will be (the *spare*, under a name of its own).
///
/// Room is made in growing steps, so that a store that writes little takes little. `makeAhead` may run on a thread of
/// its own beside everything else; `reserve` makes what is still missing itself.
///
/// `@unchecked Sendable`, because what is mutable is touched under `lock` only, and the files are changed here with
/// `work` held.
final class Preallocation: @unchecked Sendable {
    static let stepBytesMin = 64 << 10
    private static let stepBytesMax = 8 << 20

    /// A file and how much of it is zeros, or written over zeros.
    struct Room {
        let name: String
        let file: any DiskFile
        var end: Int
    }

    /// `nil` once this has ended.
    private var disk: (any Disk)?
    private let segmentBytesMax: Int
    private let lock = Lock()
    private let work = Lock()
    private var newest: Room?
    private var spare: Room?
    private var usedEnd: Int
    private var step = stepBytesMin

    init(_ disk: any Disk, newest: Room, usedEnd: Int, segmentBytesMax: Int) {
        self.disk = disk
        self.newest = newest
        self.usedEnd = usedEnd
        self.segmentBytesMax = segmentBytesMax
    }

    /// Whether `reserve` has nothing to do.
    func hasRoom(through end: Int) -> Bool { lock.withLock { end <= newest!.end } }

    /// Makes sure that the newest segment has room up to `end`.
    ///
    /// - Throws: lack of room, and whatever else fails.
    func reserve(through end: Int) throws(DiskError) {
        let isThere = lock.withLock {
            usedEnd = max(usedEnd, end)
            return end <= newest!.end
        }
        guard !isThere else { return }
        try work.withLock { () throws(DiskError) in
            let (room, target) = lock.withLock { (newest!, max(end, nextEnd(of: newest!))) }
            guard end > room.end else { return }
            try room.file.zeroFill(from: room.end, to: target)
            noteNewest(target)
        }
    }

    /// Whether `makeAhead` has something to do.
    var isDue: Bool { lock.withLock { newestIsDue || spareIsDue } }

    /// Makes one step of room. A full disk is left for `reserve` to tell.
    func makeAhead() {
        work.lock()
        defer { work.unlock() }
        do throws(DiskError) {
            if lock.withLock({ newestIsDue }) {
                try growNewest()
            } else if lock.withLock({ spareIsDue }) {
                try growSpare()
            }
        } catch {
            // As if nothing had to be made ahead, until `reserve` has found room or told that there is none.
            lock.withLock { step = 0 }
        }
    }

    /// Cuts the newest segment's file to `end`, durably, and hands the spare over, if there is one. No room is made ahead
    /// from now on until `begin`.
    func cut(to end: Int) throws(DiskError) -> Room? {
        try work.withLock { () throws(DiskError) in
            let file = lock.withLock {
                step = 0
                return newest!.file
            }
            try file.truncate(to: end)
            try file.sync()
            return lock.withLock {
                defer { spare = nil }
                newest!.end = end
                return spare
            }
        }
    }

    /// Lets go of the disk, waiting for what is under way.
    func end() {
        work.withLock { lock.withLock { (disk, newest, spare) = (nil, nil, nil) } }
    }

    /// Goes on with another segment.
    func begin(_ room: Room, usedEnd: Int) {
        lock.withLock {
            newest = room
            self.usedEnd = usedEnd
            step = Self.stepBytesMin
        }
    }

    // MARK: - With `lock` held

    private var newestIsDue: Bool {
        guard let newest else { return false }
        return step > 0 && newest.end < segmentBytesMax && newest.end - usedEnd < step / 2
    }
    private var spareIsDue: Bool {
        guard let newest else { return false }
        return step > 0 && usedEnd > segmentBytesMax / 2 && newest.end >= segmentBytesMax
            && (spare?.end ?? 0) < segmentBytesMax
    }
    private func nextEnd(of room: Room) -> Int {
        min(room.end + max(step, Self.stepBytesMin), max(segmentBytesMax, room.end))
    }

    private func lengthenStep() { step = min(max(step, Self.stepBytesMin) * 2, Self.stepBytesMax) }

    // MARK: - With `work` held

    private func noteNewest(_ end: Int) {
        lock.withLock {
            newest!.end = end
            lengthenStep()
        }
    }

    private func growNewest() throws(DiskError) {
        let (room, target) = lock.withLock { (newest!, nextEnd(of: newest!)) }
        // Opened anew: what fails when this is synced would otherwise not be told to a flush that is synced later.
        guard let file = try disk!.open(room.name, .flushes) else { return }
        try file.zeroFill(from: room.end, to: target)
        try file.sync()
        noteNewest(target)
    }

    private func growSpare() throws(DiskError) {
        let disk = disk!
        let room: Room
        if let spare = lock.withLock({ spare }) {
            room = spare
        } else {
            try disk.remove(LogNames.nextSegment)
            _ = try disk.open(LogNames.nextSegment, .create)
            room = Room(
                name: LogNames.nextSegment, file: try disk.open(LogNames.nextSegment, .flushes)!, end: 0)
        }
        let target = lock.withLock {
            spare = nil
            return nextEnd(of: room)
        }
        try room.file.zeroFill(from: room.end, to: target)
        try room.file.sync()
        lock.withLock {
            spare = Room(name: room.name, file: room.file, end: target)
            lengthenStep()
        }
    }
}
