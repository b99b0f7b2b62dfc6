import CommitLog

extension Replay {
    /// Reads a store without its lock. If it is being written, reads up to its last flush known to be durable.
    static func readBeside(
        _ disk: any Disk, into machine: StateMachine, isBeingWritten: Bool, _ options: Options = Options()
    ) throws(StoreError) -> Log {
        var options = options
        if isBeingWritten { options.lastN = try lastDurable(disk) }
        var replay = Replay(disk, into: machine, options)
        return try replay.run()
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
