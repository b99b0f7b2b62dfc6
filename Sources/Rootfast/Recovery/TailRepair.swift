import CommitLog
import Hashing

/// Makes a recovered log ready to be written again. Every step may be cut short by a crash and is then done anew.
///
/// (1) A torn tail is copied to a file of its own, durably. (2) The flushes not known to be durable are written again:
/// a killed process may have left them in the page cache only. (3) The torn tail is overwritten with zeros. Both are
/// synced before anything is served. (4) An empty segment behind the newest, and a half-made one, are removed.
/// (5) `store.json` no longer says that the log was closed.
struct TailRepair {
    let disk: any Disk
    let log: Replay.Log

    /// Returns the copy of the torn tail, relative to the store's folder, if there was one.
    func run() throws(DiskError) -> String? {
        let name = LogNames.segment(log.tip.segment)
        guard let file = try disk.open(name, .write) else { throw DiskError(call: "open", name: name, errno: 2) }
        let copy = try log.tornTail.map { tail throws(DiskError) in try setAside(tail, of: file) }
        try rewrite(file, log.unsyncedOffset..<log.tip.offset)
        if let tail = log.tornTail { try file.zeroFill(from: tail.offset, to: tail.end) }
        try file.sync()
        if let unused = log.unusedSegment { try disk.remove(LogNames.segment(unused)) }
        try disk.remove(LogNames.nextSegment)
        try disk.syncFolder(LogNames.folder)
        if log.manifest.closed != nil {
            try Manifest(store: log.manifest.store, segment: log.manifest.segment).write(to: disk)
        }
        return copy
    }

    private func setAside(_ tail: Replay.TornTail, of file: any DiskFile) throws(DiskError) -> String {
        var crc: UInt32 = 0
        try forEachPiece(of: file, tail.offset..<tail.end) { piece, _ in
            crc = CRC32C.checksum(piece, continuing: crc)
        }
        let name = LogNames.setAside(segment: log.tip.segment, offset: tail.offset, crc: crc)
        try disk.remove(name)
        let copy = try disk.open(name, .create)!
        try forEachPiece(of: file, tail.offset..<tail.end) { piece, offset throws(DiskError) in
            try copy.write(piece, at: offset - tail.offset)
        }
        try copy.sync()
        try disk.syncFolder(LogNames.folder)
        return name
    }

    private func rewrite(_ file: any DiskFile, _ range: Range<Int>) throws(DiskError) {
        try forEachPiece(of: file, range) { piece, offset throws(DiskError) in try file.write(piece, at: offset) }
    }

    private func forEachPiece(
        of file: any DiskFile, _ range: Range<Int>,
        _ body: (UnsafeRawBufferPointer, Int) throws(DiskError) -> Void
    ) throws(DiskError) {
        let step = 1 << 20
        var bytes = [UInt8](repeating: 0, count: min(step, range.count))
        for offset in stride(from: range.lowerBound, to: range.upperBound, by: step) {
            let wanted = min(step, range.upperBound - offset)
            try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
                let piece = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<wanted])
                let count = try file.read(into: piece, at: offset)
                try body(UnsafeRawBufferPointer(rebasing: piece[..<count]), offset)
            }
        }
    }
}
