import CommitLog

extension LogTip {
    /// Checks that the log stood here once, in a segment whose first line says `header`: that a flush ends at this byte
    /// and says the same, or that the first line does.
    func checkPlace(in file: any DiskFile, _ name: String, behind header: LogTip) throws(StoreError) {
        guard header.store == store, header.segment == segment else {
            throw .damage(
                "This is segment \(header.segment) of store \(header.store), not \(segment) of \(store)", name, 0, seq)
        }
        if offset == header.offset {
            guard header.hasRecorded(self) else { throw disagreement(name) }
            return
        }
        let line = try StoreError.wrapping { () throws(DiskError) in try lastLine(of: file, behind: header.offset) }
        guard let line else {
            throw .damage("The log ends before record \(n), which a snapshot holds", name, offset, seq)
        }
        guard says(line) else { throw disagreement(name) }
    }

    /// Whether the log, which stands here, has recorded all that a snapshot says of the place. A snapshot may have a
    /// later time than the last record: that of a transaction that came to nothing.
    func hasRecorded(_ snapshot: LogTip) -> Bool {
        offset == snapshot.offset && n == snapshot.n && seq == snapshot.seq && root == snapshot.root
            && chain == snapshot.chain && timestamp <= snapshot.timestamp
    }

    /// Whether the last line of a flush says that the log stands here. Only that of a COMMIT has its sequence.
    private func says(_ line: [UInt8]) -> Bool {
        line.withUnsafeBytes { line in
            let flush = ParsedFlush()
            var parser = RecordParser()
            guard (try? parser.parse(line, into: flush)) != nil, let record = flush.records.last,
                let end = record.flushEnd
            else { return false }
            return record.n == n && (record.op != .commit || record.seq == seq) && record.timestamp <= timestamp
                && end.root == root && end.chain == chain
        }
    }

    /// The line that ends here, without its newline; `nil` if none does.
    private func lastLine(of file: any DiskFile, behind start: Int) throws(DiskError) -> [UInt8]? {
        var byteCountMax = 1024
        while true {
            var bytes = [UInt8](repeating: 0, count: min(byteCountMax, max(offset - start, 0)))
            let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset - buffer.count)
            }
            guard count == bytes.count, bytes.popLast() == 0x0a else { return nil }
            if let newline = bytes.lastIndex(of: 0x0a) { return Array(bytes[(newline + 1)...]) }
            if count == offset - start { return bytes }
            guard byteCountMax <= RecordLimits.lineBytesMax else { return nil }
            byteCountMax *= 16
        }
    }

    private func disagreement(_ name: String) -> StoreError {
        .damage("The log is not the one that a snapshot at record \(n) goes on from", name, offset, seq)
    }
}

extension SnapshotRow {
    /// Checks that `store.json` is not older than this snapshot: a segment has its name there before anything is in it.
    func checkIsKnown(to manifest: Manifest) throws(StoreError) {
        guard tip.segment > manifest.segment else { return }
        throw .damage(
            "store.json is older than snapshot \(id): it names segment \(manifest.segment)", LogNames.manifest, nil,
            tip.seq)
    }
}
