import Threading

/// The simulated disks that SQLite knows, by number: the first part of a path names one. None is kept alive by it.
///
/// `@unchecked Sendable`, because everything is touched under `lock` only.
final class SimulatedDisks: @unchecked Sendable {
    static let all = SimulatedDisks()

    private struct Entry { weak var disk: SimulatedDisk? }

    private let lock = Lock()
    private var entries: [Int: Entry] = [:]
    private var last = 0

    func add(_ disk: SimulatedDisk) -> Int {
        lock.withLock {
            last += 1
            entries[last] = Entry(disk: disk)
            return last
        }
    }

    func forget(_ number: Int) { lock.withLock { entries[number] = nil } }

    /// The disk and the file's name on it, for a path such as `/17/state.sqlite`.
    func find(_ path: String) -> (disk: SimulatedDisk, name: String)? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1)
        guard parts.count == 2, let number = Int(Substring(parts[0])),
            let disk = lock.withLock({ entries[number]?.disk })
        else { return nil }
        return (disk, String(Substring(parts[1])))
    }
}
