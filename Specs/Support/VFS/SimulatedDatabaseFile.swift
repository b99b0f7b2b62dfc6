import CommitLog
import Csqlite3
import Threading

/// A file of a `SimulatedDisk` that SQLite has open.
final class SimulatedDatabaseFile {
    let bytes: SimulatedFile
    /// SQLite makes a new log's or journal's name durable together with its first bytes.
    var syncsFolder: Bool
    let isDeletedOnClose: Bool

    // Touched under the disk's lock, by `SimulatedConnections`.
    var level = SQLITE_LOCK_NONE
    var sharedMask: UInt32 = 0
    var exclusiveMask: UInt32 = 0
    var isMapped = false

    init(_ file: SimulatedFile, syncsFolder: Bool, isDeletedOnClose: Bool) {
        bytes = file
        self.syncsFolder = syncsFolder
        self.isDeletedOnClose = isDeletedOnClose
        bytes.disk.lock.withLock { connections.add(self) }
    }

    private var connections: SimulatedConnections { bytes.inode.connections }

    func close() {
        bytes.disk.lock.withLock {
            connections.unmap(self)
            connections.remove(self)
        }
        if isDeletedOnClose { try? bytes.disk.remove(bytes.name) }
    }

    /// Answers false if the file ended before; the rest is zeros then.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Bool {
        let count = try bytes.read(into: buffer, at: offset)
        guard count < buffer.count else { return true }
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
        return false
    }

    func sync() throws(DiskError) {
        try bytes.sync()
        guard syncsFolder else { return }
        syncsFolder = false
        // SQLite's own file systems do not look at what comes of this either.
        try? bytes.disk.syncFolder(SimulatedDisk.folder(of: bytes.name))
    }

    // MARK: - Locks and shared memory

    func lock(_ level: Int32) -> Bool { bytes.disk.lock.withLock { connections.raise(self, to: level) } }

    func unlock(to level: Int32) { bytes.disk.lock.withLock { self.level = min(self.level, level) } }

    var isReserved: Bool { bytes.disk.lock.withLock { connections.isReserved } }

    func region(_ index: Int, byteCount: Int, extends: Bool) -> UnsafeMutableRawPointer? {
        bytes.disk.lock.withLock {
            isMapped = true
            return connections.region(index, byteCount: byteCount, extends: extends)
        }
    }

    func lockMemory(_ mask: UInt32, isExclusive: Bool) -> Bool {
        bytes.disk.lock.withLock { connections.lockMemory(self, mask, isExclusive: isExclusive) }
    }

    func unlockMemory(_ mask: UInt32) {
        bytes.disk.lock.withLock {
            sharedMask &= ~mask
            exclusiveMask &= ~mask
        }
    }

    /// The disk's lock orders what threads see of the shared memory.
    func passBarrier() { bytes.disk.lock.withLock {} }

    func unmap() { bytes.disk.lock.withLock { connections.unmap(self) } }
}
