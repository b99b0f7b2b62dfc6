import CommitLog

extension Manifest {
    /// `read`, with the error of the store.
    static func reading(_ disk: any Disk) throws(StoreError) -> Manifest? {
        do throws(Manifest.Failure) {
            return try read(from: disk)
        } catch {
            switch error {
            case .disk(let error): throw StoreError(error)
            case .malformed(let error):
                throw .damage("store.json is damaged: \(error.reason)", LogNames.manifest, error.offset)
            }
        }
    }
}

extension SegmentHeader {
    /// `read`, with the error of the store; also where the flushes begin.
    static func reading(_ file: any DiskFile, _ name: String, after sequence: UInt64? = nil) throws(StoreError)
        -> LogTip
    {
        do throws(SegmentHeader.ReadError) {
            let (header, offset) = try SegmentHeader.read(from: file)
            return LogTip(header, offset: offset)
        } catch {
            switch error {
            case .disk(let error): throw StoreError(error)
            case .malformed(let offset, let reason):
                throw .damage("The segment's first line is damaged: \(reason)", name, offset, sequence)
            }
        }
    }
}
