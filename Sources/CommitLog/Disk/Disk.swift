/// The one seam to the disk: a folder of files, with exactly the promises that a log needs and POSIX gives.
///
/// Names are relative to the store's folder, such as `store.json` or `log/0000000001.jsonl`. A written byte, a file's
/// length and a directory entry are durable only once `DiskFile.sync` or `syncFolder` has returned; until then a crash
/// may keep or lose each on its own. The real disk is `FileDisk`; the specs put a simulated one behind the same seam.
package protocol Disk: AnyObject, Sendable {
    /// The names in a folder, in byte order; empty if there is no such folder.
    func list(_ folder: String) throws(DiskError) -> [String]
    /// Makes a folder that only its owner may enter, unless it is there.
    func makeFolder(_ folder: String) throws(DiskError)
    /// Opens a file; `nil` if there is none by that name and `access` does not create it.
    func open(_ name: String, _ access: DiskAccess) throws(DiskError) -> (any DiskFile)?
    /// Gives a file another name in one step, replacing what had that name.
    func rename(_ name: String, to newName: String) throws(DiskError)
    func remove(_ name: String) throws(DiskError)
    /// Where SQLite finds a file of the store's folder.
    func database(_ name: String) -> DatabaseLocation
    /// Makes the entries of a folder durable; the store's own folder is `""`.
    func syncFolder(_ folder: String) throws(DiskError)
}

/// Where SQLite finds a file.
package struct DatabaseLocation: Hashable, Sendable {
    package var path: String
    /// The name of what stands for the file system in SQLite; `nil` for the system's own.
    package var vfs: String?

    package init(path: String, vfs: String? = nil) {
        self.path = path
        self.vfs = vfs
    }
}

package enum DiskAccess: Sendable {
    case read
    case write
    /// For writing where behind each write there is nothing but zeros: a write may then put zeros behind itself, up to
    /// the end of a block, and may go past the system's cache.
    case flushes
    /// Makes the file, which must not be there.
    case create
}

/// An open file. Closed when it is released.
package protocol DiskFile: AnyObject, Sendable {
    func byteCount() throws(DiskError) -> Int
    /// Fills `buffer` from `offset` on; returns how many bytes there were, fewer only at the file's end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int
    /// Writes all of `bytes`, or throws.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError)
    /// Writes zeros over [from, to), extending the file; where it can, reserves the room first.
    func zeroFill(from: Int, to: Int) throws(DiskError)
    func truncate(to count: Int) throws(DiskError)
    /// Makes the bytes and the length durable. If it throws, what was written may be lost: never call it again.
    func sync() throws(DiskError)
}

/// A call to the disk that failed.
package struct DiskError: Error, Hashable, Sendable {
    /// The system call, such as `fdatasync`.
    package var call: String
    /// The file or folder, relative to the store's folder.
    package var name: String
    package var errno: Int32

    package init(call: String, name: String, errno: Int32) {
        self.call = call
        self.name = name
        self.errno = errno
    }
}
