import CommitLog
import Threading

/// An open file of a `SimulatedDisk`.
///
/// `@unchecked Sendable`, because the inode is touched under the disk's lock only.
final class SimulatedFile: DiskFile, @unchecked Sendable {
    let disk: SimulatedDisk
    let name: String
    let inode: SimulatedInode

    init(_ disk: SimulatedDisk, _ name: String, _ inode: SimulatedInode) {
        self.disk = disk
        self.name = name
        self.inode = inode
    }

    func byteCount() throws(DiskError) -> Int { try disk.call("fstat", name) { inode.current.count } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try disk.call("pread", name) {
            let count = max(0, min(buffer.count, inode.current.count - offset))
            guard count > 0 else { return 0 }
            inode.current.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[offset..<(offset + count)])) }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try disk.call("pwrite", name) { inode.change(.write(offset: offset, bytes: Array(bytes))) }
    }

    func zeroFill(from: Int, to: Int) throws(DiskError) {
        guard from < to else { return }
        try disk.call("posix_fallocate", name) {
            inode.change(.write(offset: from, bytes: [UInt8](repeating: 0, count: to - from)))
        }
    }

    func truncate(to count: Int) throws(DiskError) {
        try disk.call("ftruncate", name) { inode.change(.length(count)) }
    }

    /// Makes durable what is pending, and nothing else. A sync that fails drops it: it can still be read, and no later
    /// sync writes it, unless it is written again.
    func sync() throws(DiskError) {
        do throws(DiskError) {
            disk.passSyncGate()
            try disk.call("fdatasync", name) {
                disk.noteSync()
                inode.sync()
            }
        } catch {
            disk.lock.withLock { inode.dropPending() }
            throw error
        }
    }
}
