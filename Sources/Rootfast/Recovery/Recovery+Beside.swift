import CommitLog

extension Recovery {
    /// Reads a store without its lock. If it is being written, reads up to its last flush known to be durable.
    static func readBeside(
        _ disk: any Disk, _ machineOptions: StateMachine.Options, isBeingWritten: Bool,
        readsWholeLog: Bool = false, _ options: Replay.Options
    ) throws(StoreError) -> Result {
        var options = options
        if isBeingWritten { options.lastN = try lastDurable(disk) }
        let recovery = Recovery(
            disk: disk, machineOptions: machineOptions, replayOptions: options, isReadOnly: true,
            readsWholeLog: readsWholeLog)
        do throws(StoreError) {
            return try recovery.run()
        } catch {
            // What was found at first may have been reclaimed meanwhile.
            guard isBeingWritten, [.corrupt, Replay.segmentIsGone].contains(error.code) else { throw error }
            return try recovery.run()
        }
    }

    /// The last record that a log which is being written shows to be durable; `nil` if that is for `run` to find out.
    ///
    /// What lies behind it may be half written. Rotation waits for durability, so the newest segment is enough.
    private static func lastDurable(_ disk: any Disk) throws(StoreError) -> UInt64? {
        guard let manifest = try? Manifest.read(from: disk) else { return nil }
        return try StoreError.wrapping { () throws(DiskError) in
            guard let file = try disk.open(LogNames.segment(manifest.segment), .read),
                let (header, offset) = try? SegmentHeader.read(from: file)
            else { return nil }
            let reader = SegmentReader(file, from: LogTip(header, offset: offset))
            while case .flush = try reader.next() {}
            return reader.tip.synced
        }
    }
}
