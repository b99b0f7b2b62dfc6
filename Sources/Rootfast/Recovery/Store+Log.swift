import CommitLog

extension Store {
    /// The lines of a store's log, SEGMENT lines included, as they stand in its files: JSON, one object a line.
    ///
    /// Stops at a torn tail; verifies what it tells, but not the root. Changes nothing, takes no lock.
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
            let isNewest = number >= manifest.segment
            guard try tellSegment(file, name, isNewest: isNewest, from: sequence, body) else { return }
        }
    }

    private static func tellSegment(
        _ file: any DiskFile, _ name: String, isNewest: Bool, from sequence: UInt64,
        _ body: (UnsafeRawBufferPointer) throws -> Bool
    ) throws -> Bool {
        let start = try SegmentHeader.reading(file, name)
        if sequence == 0 {
            guard try bytes(0..<(start.offset - 1), of: file).withUnsafeBytes(body) else { return false }
        }
        let reader = SegmentReader(file, from: start)
        while true {
            switch try StoreError.wrapping({ () throws(DiskError) in try reader.next() }) {
            case .flush(let flush):
                guard reader.tip.seq >= sequence else { continue }
                for line in try bytes(flush.offset..<flush.tip.offset, of: file).split(separator: 0x0a) {
                    guard try Array(line).withUnsafeBytes(body) else { return false }
                }
            case .end: return true
            case .gap where isNewest: return false
            case .gap(let gap):
                throw StoreError.damage(
                    "The segment is damaged before its end: \(gap.reason)", name, gap.offset, reader.tip.seq)
            case .unsound(let offset, let reason):
                throw StoreError.damage("A flush is whole and cannot be: \(reason)", name, offset, reader.tip.seq)
            }
        }
    }

    private static func bytes(_ range: Range<Int>, of file: any DiskFile) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        do {
            let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0, at: range.lowerBound) }
            bytes.removeLast(range.count - count)
        } catch {
            throw StoreError(error as! DiskError)
        }
        return bytes
    }
}
