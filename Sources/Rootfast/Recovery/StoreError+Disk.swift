import CommitLog

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension StoreError {
    init(_ error: DiskError) {
        let reason = String(cString: strerror(error.errno))
        if Self.isLackOfRoom(error) {
            self.init(
                .noSpace, "There is no room on the disk (\(error.call): \(reason))", at: Place(file: error.name),
                advice: "Make room and try again.")
        } else {
            self.init(
                .inputOutput(call: error.call, errno: error.errno), "\(error.call) failed: \(reason)",
                at: Place(file: error.name), advice: "Look at the disk and at the folder's permissions.")
        }
    }

    static func isLackOfRoom(_ error: DiskError) -> Bool {
        [ENOSPC, EDQUOT, EFBIG].contains(error.errno)
    }

    static func wrapping<R>(_ body: () throws(DiskError) -> R) throws(StoreError) -> R {
        do throws(DiskError) { return try body() } catch { throw StoreError(error) }
    }

    static func damage(
        _ message: String, _ file: String, _ offset: Int?, _ sequence: UInt64? = nil
    ) -> StoreError {
        StoreError(
            .corrupt, message, at: Place(file: file, offset: offset, sequence: sequence),
            advice: "Nothing was changed. Keep a copy of the folder, and restore the store from a backup or a replica.")
    }

    static var noStore: StoreError {
        StoreError(.noStore, "There is no store here", advice: "Look at the path, or ask for a new store to be made.")
    }
}
