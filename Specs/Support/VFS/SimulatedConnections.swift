import Csqlite3

/// What the connections of SQLite that have one file open share: who holds which lock, and the memory that stands for
/// the `-shm` file. It belongs to the process and is gone with it.
///
/// Touched under the disk's lock only; the shared memory by SQLite, under its own rules.
final class SimulatedConnections {
    private var open: [SimulatedDatabaseFile] = []
    private var regions: [UnsafeMutableRawPointer] = []

    deinit { freeRegions() }

    func add(_ file: SimulatedDatabaseFile) { open.append(file) }

    func remove(_ file: SimulatedDatabaseFile) { open.removeAll { $0 === file } }

    // MARK: - Locks of the file

    /// Raises the lock of a file to a level of SQLite's (shared, reserved, exclusive), if the others allow it. An
    /// exclusive lock that still waits for readers stays pending, so that no new ones come.
    func raise(_ file: SimulatedDatabaseFile, to level: Int32) -> Bool {
        guard file.level < level else { return true }
        let others = open.filter { $0 !== file }.map(\.level).max() ?? SQLITE_LOCK_NONE
        switch level {
        case SQLITE_LOCK_SHARED: guard others < SQLITE_LOCK_PENDING else { return false }
        case SQLITE_LOCK_RESERVED: guard others < SQLITE_LOCK_RESERVED else { return false }
        default:
            guard others < SQLITE_LOCK_RESERVED else { return false }
            file.level = SQLITE_LOCK_PENDING
            guard others == SQLITE_LOCK_NONE else { return false }
        }
        file.level = level
        return true
    }

    /// Whether somebody is about to write.
    var isReserved: Bool { open.contains { $0.level >= SQLITE_LOCK_RESERVED } }

    // MARK: - Shared memory

    /// The numbered region of the shared memory; made if `extends`, else `nil` if it is not there.
    func region(_ index: Int, byteCount: Int, extends: Bool) -> UnsafeMutableRawPointer? {
        while extends, regions.count <= index {
            let region = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 8)
            region.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            regions.append(region)
        }
        return index < regions.count ? regions[index] : nil
    }

    /// Takes the locks of `mask`, unless others hold what excludes them.
    func lockMemory(_ file: SimulatedDatabaseFile, _ mask: UInt32, isExclusive: Bool) -> Bool {
        let isFree = open.allSatisfy {
            $0 === file || ($0.exclusiveMask | (isExclusive ? $0.sharedMask : 0)) & mask == 0
        }
        guard isFree else { return false }
        if isExclusive { file.exclusiveMask |= mask } else { file.sharedMask |= mask }
        return true
    }

    /// Lets go of a file's part of the shared memory; the last one frees it.
    func unmap(_ file: SimulatedDatabaseFile) {
        (file.sharedMask, file.exclusiveMask, file.isMapped) = (0, 0, false)
        if !open.contains(where: \.isMapped) { freeRegions() }
    }

    private func freeRegions() {
        for region in regions { region.deallocate() }
        regions = []
    }
}
