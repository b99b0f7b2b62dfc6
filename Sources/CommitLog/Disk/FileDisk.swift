#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The real disk: a folder, its files opened relative to it and never through a link.
///
/// Files are made with mode 0600, folders with 0700. EINTR is retried and short writes are finished.
package final class FileDisk: Disk {
    private let folder: Descriptor
    private let path: String

    /// How `FileDisk` takes hold of a folder.
    package enum Opening: Sendable {
        /// Takes the folder's lock, which only one holder has at a time and a kill frees.
        case exclusive
        case readOnly
    }

    package enum OpeningError: Error {
        case missing
        case locked
        case disk(DiskError)
    }

    private let lockFile: Descriptor?

    /// Opens a folder. With `creating`, makes it if it is missing.
    package init(path: String, _ opening: Opening, creating: Bool = false) throws(OpeningError) {
        if creating, mkdir(path, 0o700) != 0, errno != EEXIST {
            throw .disk(DiskError(call: "mkdir", name: path, errno: errno))
        }
        let descriptor = Glue.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw .missing }
            throw .disk(DiskError(call: "open", name: path, errno: errno))
        }
        let folder = Descriptor(descriptor)
        lockFile = opening == .exclusive ? try Self.takeLock(in: folder, creating: creating) : nil
        self.folder = folder
        self.path = Self.absolute(path)
    }

    /// Lets go of the lock by name: a process that is just being started has a copy of the descriptor for a moment, and
    /// would hold the lock until it gives that up.
    deinit {
        guard let lockFile else { return }
        var lock = flock()
        lock.l_type = Int16(F_UNLCK)
        _ = fcntl(lockFile.number, Glue.setLock, &lock)
    }

    /// The path from the root, so that it stays true if the process goes elsewhere.
    private static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    package func database(_ name: String) -> DatabaseLocation { DatabaseLocation(path: "\(path)/\(name)") }

    /// Whether somebody holds the folder's lock.
    package func isLocked() -> Bool {
        // Asking takes no right to write, which there may not be.
        let descriptor = Glue.open(at: folder.number, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        let file = Descriptor(descriptor)
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        guard fcntl(file.number, Glue.getLock, &lock) == 0 else { return false }
        return lock.l_type != Int16(F_UNLCK)
    }

    private static func takeLock(in folder: Descriptor, creating: Bool) throws(OpeningError) -> Descriptor {
        // Only a store gets a lock file: opening a mistyped path must leave no trace.
        let isStore = faccessat(folder.number, LogNames.manifest, F_OK, 0) == 0
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (creating || isStore ? O_CREAT : 0)
        let descriptor = Glue.open(at: folder.number, "lock", flags)
        guard descriptor >= 0 else {
            if errno == ENOENT { throw .missing }
            throw .disk(DiskError(call: "openat", name: "lock", errno: errno))
        }
        let file = Descriptor(descriptor)
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        guard fcntl(file.number, Glue.setLock, &lock) == 0 else {
            if errno == EAGAIN || errno == EACCES { throw .locked }
            throw .disk(DiskError(call: "fcntl", name: "lock", errno: errno))
        }
        return file
    }

    package func list(_ folder: String) throws(DiskError) -> [String] {
        let descriptor = Glue.open(
            at: self.folder.number, folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT { return [] }
        guard descriptor >= 0 else { throw DiskError(call: "openat", name: folder, errno: errno) }
        guard let stream = fdopendir(descriptor) else {
            close(descriptor)
            throw DiskError(call: "fdopendir", name: folder, errno: errno)
        }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        // Only `errno` tells the end of a folder from a failure.
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: UInt8.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0)))
                }
            }
            if name != [0x2e], name != [0x2e, 0x2e] { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw DiskError(call: "readdir", name: folder, errno: errno) }
        return names.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
    }

    package func makeFolder(_ folder: String) throws(DiskError) {
        guard mkdirat(self.folder.number, folder, 0o700) == 0 || errno == EEXIST else {
            throw DiskError(call: "mkdirat", name: folder, errno: errno)
        }
    }

    package func open(_ name: String, _ access: DiskAccess) throws(DiskError) -> (any DiskFile)? {
        let flags =
            switch access {
            case .read: O_RDONLY
            case .write, .flushes: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = Glue.open(at: folder.number, name, flags | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT, access != .create { return nil }
            throw DiskError(call: "openat", name: name, errno: errno)
        }
        let file = SystemFile(Descriptor(descriptor), name: name)
        guard access == .flushes else { return file }
        return DirectFile(file, in: folder, name: name) ?? file
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        guard renameat(folder.number, name, folder.number, newName) == 0 else {
            throw DiskError(call: "renameat", name: name, errno: errno)
        }
    }

    package func remove(_ name: String) throws(DiskError) {
        guard unlinkat(folder.number, name, 0) == 0 || errno == ENOENT else {
            throw DiskError(call: "unlinkat", name: name, errno: errno)
        }
    }

    package func syncFolder(_ folder: String) throws(DiskError) {
        let descriptor = Glue.open(
            at: self.folder.number, folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw DiskError(call: "openat", name: folder, errno: errno) }
        let opened = Descriptor(descriptor)
        guard fsync(opened.number) == 0 else { throw DiskError(call: "fsync", name: folder, errno: errno) }
    }
}

/// A file descriptor, closed when released.
final class Descriptor: Sendable {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { close(number) }
}

/// What Swift does not import: variadic calls and the locks of an open file description, which, unlike a process's,
/// also keep out a second opener in the same process.
enum Glue {
    #if canImport(Darwin)
        static let setLock: Int32 = 90
        static let getLock: Int32 = 92
    #else
        static let setLock: Int32 = 37
        static let getLock: Int32 = 36
        /// `O_DIRECT`, which has another value on some processors.
        #if arch(arm64) || arch(arm)
            static let direct: Int32 = 0x10000
        #elseif arch(powerpc64) || arch(powerpc64le)
            static let direct: Int32 = 0x20000
        #else
            static let direct: Int32 = 0x4000
        #endif
    #endif

    static func open(_ path: String, _ flags: Int32) -> Int32 {
        aboveStandard(
            retrying {
                #if canImport(Darwin)
                    Darwin.open(path, flags, 0o600)
                #elseif canImport(Musl)
                    Musl.open(path, flags, 0o600)
                #else
                    Glibc.open(path, flags, 0o600)
                #endif
            })
    }

    static func open(at folder: Int32, _ name: String, _ flags: Int32) -> Int32 {
        aboveStandard(retrying { openat(folder, name, flags, 0o600) })
    }

    /// The descriptor itself, or if it is one of the three that a process expects its input, output and errors behind, another
    /// in its place: where these were closed, whoever prints would print into a file of the store.
    private static func aboveStandard(_ descriptor: Int32) -> Int32 {
        guard (0...2).contains(descriptor) else { return descriptor }
        let moved = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        let reason = errno
        close(descriptor)
        errno = reason
        return moved
    }

    /// Repeats a call that a signal interrupted.
    static func retrying<T: SignedInteger>(_ call: () -> T) -> T {
        while true {
            let result = call()
            if result != -1 || errno != EINTR { return result }
        }
    }
}
