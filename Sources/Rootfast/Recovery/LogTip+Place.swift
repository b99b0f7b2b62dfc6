import CommitLog

extension LogTip {
    /// Checks that the log stood here once, in a segment whose first line says `header`: that a flush ends at this byte
    /// with this chain, or that the first line does and says the same.
    func checkPlace(in file: any DiskFile, _ name: String, behind header: LogTip) throws(StoreError) {
        guard header.store == store, header.segment == segment else {
            throw .damage(
                "This is segment \(header.segment) of store \(header.store), not \(segment) of \(store)", name, 0, seq)
        }
        if offset == header.offset {
            guard header.n == n, header.seq == seq, header.root == root, header.chain == chain else {
                throw disagreement(name)
            }
            return
        }
        // The end of a flush's last line: more than what its suffix takes.
        var bytes = [UInt8](repeating: 0, count: min(256, max(offset - header.offset, 0)))
        let count = try bytes.withUnsafeMutableBufferPointer { buffer throws(StoreError) in
            try StoreError.wrapping { () throws(DiskError) in
                try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset - buffer.count)
            }
        }
        guard count == bytes.count, bytes.last == 0x0a else {
            throw .damage("The log ends before record \(n), which a snapshot holds", name, offset, seq)
        }
        let suffix = bytes.dropLast().withUnsafeBytes { RecordParser.flushEndSuffix(of: $0) }
        guard suffix?.chain == chain else { throw disagreement(name) }
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
