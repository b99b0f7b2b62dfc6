import CommitLog
import Threading

/// An open file of a `SimulatedDisk`.
///
/// `@unchecked Sendable`, because the inode is touched under the disk's lock only.
final class SimulatedFile: DiskFile, @unchecked Sendable {
    private let disk: SimulatedDisk
    private let name: String
    private let inode: SimulatedDisk.Inode

    init(_ disk: SimulatedDisk, _ name: String, _ inode: SimulatedDisk.Inode) {
        self.disk = disk
        self.name = name
        self.inode = inode
    }

    func byteCount() throws(DiskError) -> Int { try disk.call("fstat", name) { inode.current.count } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try disk.call("pread", name) {
            let count = max(0, min(buffer.count, inode.current.count - offset))
            if count > 0 { buffer.copyBytes(from: inode.current[offset..<(offset + count)]) }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try disk.call("pwrite", name) {
            inode.current.overlay(bytes, at: offset)
            inode.pending.append(.write(offset: offset, bytes: Array(bytes)))
        }
    }

    func zeroFill(from: Int, to: Int) throws(DiskError) {
        guard from < to else { return }
        try disk.call("posix_fallocate", name) {
            let zeros = [UInt8](repeating: 0, count: to - from)
            inode.current.overlay(zeros, at: from)
            inode.pending.append(.write(offset: from, bytes: zeros))
        }
    }

    func truncate(to count: Int) throws(DiskError) {
        try disk.call("ftruncate", name) {
            let extra = max(0, count - inode.current.count)
            inode.current = Array(inode.current.prefix(count)) + Array(repeating: 0, count: extra)
            inode.pending.append(.length(count))
        }
    }

    /// Makes durable what is pending, and nothing else. A sync that fails drops it: it can still be read, and no later
    /// sync writes it, unless it is written again.
    func sync() throws(DiskError) {
        do throws(DiskError) {
            disk.passSyncGate()
            try disk.call("fdatasync", name) {
                disk.noteSync()
                for change in inode.pending { change.apply(to: &inode.durable) }
                inode.pending = []
            }
        } catch {
            disk.lock.withLock { inode.pending = [] }
            throw error
        }
    }
}
