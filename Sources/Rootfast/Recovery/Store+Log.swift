import CommitLog

extension Store {
    /// The lines of a store's log, SEGMENT lines included, as they stand in its files: JSON, one object a line.
    ///
    /// Stops where the log stops being whole; verifies what it tells, but not the root. Changes nothing, takes no lock.
    ///
    /// - Parameters:
    ///   - from: leaves out flushes all of whose commits come before this sequence.
    ///   - body: is given each line without its newline, until it answers false.
    /// - Throws: `noStore`, `corrupt`, `inputOutput`, and what `body` throws.
    public static func log(
        _ path: String, from sequence: UInt64 = 0, _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        let disk = try FileDisk.opening(path, .readOnly)
        guard let manifest = try Manifest.reading(disk) else { throw StoreError.noStore }
        // What was reclaimed is missing at the beginning only.
        let first = try Replay.segmentNumbers(on: disk).min() ?? 1
        for number in first...max(manifest.segment, first) {
            let name = LogNames.segment(number)
            guard let file = try StoreError.wrapping({ () throws(DiskError) in try disk.open(name, .read) }) else {
                throw StoreError.damage("The segment is missing", name, nil)
            }
            guard try tellSegment(file, name, from: sequence, body) else { return }
        }
    }

    private static func tellSegment(
        _ file: any DiskFile, _ name: String, from sequence: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) throws -> Bool {
        let start = try SegmentHeader.reading(file, name)
        if sequence == 0 {
            var line = [UInt8](repeating: 0, count: start.offset - 1)
            _ = try line.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
            guard try line.withUnsafeBytes(body) else { return false }
        }
        let reader = SegmentReader(file, from: start)
        while case .flush(let flush) = try reader.next() {
            guard reader.tip.seq >= sequence else { continue }
            var bytes = [UInt8](repeating: 0, count: flush.byteCount)
            _ = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: flush.offset) }
            for line in bytes.split(separator: 0x0a) {
                guard try Array(line).withUnsafeBytes(body) else { return false }
            }
        }
        return true
    }
}
