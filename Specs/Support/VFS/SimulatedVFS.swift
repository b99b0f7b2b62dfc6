import CommitLog
import Csqlite3
import Threading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What stands for the file system in SQLite where a database is on a `SimulatedDisk`: a VFS, whose paths begin with the
/// disk's number.
///
/// It promises SQLite what the real one promises, and does in the same order what that does: a sector of 4096 bytes, and
/// that a write changes no byte besides its own (`POWERSAFE_OVERWRITE`). To promise less would make SQLite more careful
/// here than where it counts. Locks and the memory of the write-ahead log's index belong to the process, so a crash forgets
/// them. Time stands still, and nobody sleeps.
enum SimulatedVFS {
    static let name = "rootfast-simulated"

    /// Makes SQLite know it.
    static func register() { _ = registration }

    private static let registration: Void = {
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: functions)
        let result = sqlite3_vfs_register(vfs, 0)
        precondition(result == SQLITE_OK)
    }()

    /// What SQLite gives room for: its own part, and the file it stands for.
    struct Handle {
        var base: sqlite3_file
        var file: Unmanaged<SimulatedDatabaseFile>
    }

    private static var functions: sqlite3_vfs {
        var vfs = sqlite3_vfs()
        vfs.iVersion = 2
        vfs.szOsFile = Int32(MemoryLayout<Handle>.size)
        vfs.mxPathname = 512
        vfs.zName = UnsafePointer(strdup(name))
        vfs.xOpen = { _, path, handle, flags, flagsOut in SimulatedVFS.open(path, handle!, flags, flagsOut) }
        vfs.xDelete = { _, path, syncsFolder in SimulatedVFS.delete(path!, syncsFolder: syncsFolder != 0) }
        vfs.xAccess = { _, path, _, answer in SimulatedVFS.access(path!, answer!) }
        vfs.xFullPathname = { _, path, count, target in
            guard strlen(path!) < Int(count) else { return SQLITE_CANTOPEN }
            strcpy(target!, path!)
            return SQLITE_OK
        }
        // SQLite asks its default file system for randomness in any case.
        vfs.xRandomness = { _, count, target in
            memset(target!, 4, Int(count))
            return count
        }
        vfs.xSleep = { _, microseconds in
            sched_yield()
            return microseconds
        }
        vfs.xCurrentTimeInt64 = { _, time in
            // Milliseconds of the Julian calendar.
            time!.pointee = 1_763_690_000_000 + 210_866_760_000_000
            return SQLITE_OK
        }
        vfs.xGetLastError = { _, _, _ in errno }
        return vfs
    }

    // MARK: - Names

    private static func open(
        _ path: UnsafePointer<CChar>?, _ target: UnsafeMutablePointer<sqlite3_file>, _ flags: Int32,
        _ flagsOut: UnsafeMutablePointer<Int32>?
    ) -> Int32 {
        target.pointee.pMethods = nil
        guard let file = answer(SQLITE_CANTOPEN, { () throws(DiskError) in try openFile(path, flags) }) else {
            return SQLITE_CANTOPEN
        }
        flagsOut?.pointee = flags
        target.withMemoryRebound(to: Handle.self, capacity: 1) { $0.pointee.file = .passRetained(file) }
        target.pointee.pMethods = SimulatedDatabaseFile.methods
        return SQLITE_OK
    }

    private static func openFile(
        _ path: UnsafePointer<CChar>?, _ flags: Int32
    ) throws(DiskError) -> SimulatedDatabaseFile {
        // What has no name is nobody else's: it stands on a disk of its own.
        let place = path.map { SimulatedDisks.all.find(String(cString: $0)) } ?? (SimulatedDisk(), "temporary")
        guard let (disk, name) = place else { throw DiskError(call: "openat", name: "", errno: ENOENT) }
        var (file, isNew): (SimulatedFile?, Bool) = (nil, false)
        if flags & SQLITE_OPEN_CREATE != 0 {
            (file, isNew) = try disk.openOrCreate(name)
        } else {
            file = try disk.open(name, .write) as! SimulatedFile?
        }
        guard let file, isNew || flags & SQLITE_OPEN_EXCLUSIVE == 0 else {
            throw DiskError(call: "openat", name: name, errno: file == nil ? ENOENT : EEXIST)
        }
        let isLog = flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL) != 0
        return SimulatedDatabaseFile(
            file, syncsFolder: isNew && isLog, isDeletedOnClose: flags & SQLITE_OPEN_DELETEONCLOSE != 0)
    }

    private static func delete(_ path: UnsafePointer<CChar>, syncsFolder: Bool) -> Int32 {
        guard let (disk, name) = SimulatedDisks.all.find(String(cString: path)) else { return ioErrorNoEntry }
        return attempt(ioErrorDelete) { () throws(DiskError) in
            guard try disk.removeIfThere(name) else { return ioErrorNoEntry }
            if syncsFolder { try disk.syncFolder(SimulatedDisk.folder(of: name)) }
            return SQLITE_OK
        }
    }

    /// As in the real one, an empty file is none.
    private static func access(_ path: UnsafePointer<CChar>, _ answer: UnsafeMutablePointer<Int32>) -> Int32 {
        answer.pointee = 0
        guard let (disk, name) = SimulatedDisks.all.find(String(cString: path)) else { return SQLITE_OK }
        return attempt(ioErrorAccess) { () throws(DiskError) in
            answer.pointee = try disk.byteCount(of: name) ?? 0 > 0 ? 1 : 0
            return SQLITE_OK
        }
    }

    // MARK: - Errors

    // Swift does not import how SQLite spells these.
    static let ioErrorRead = SQLITE_IOERR | 1 << 8
    static let ioErrorShortRead = SQLITE_IOERR | 2 << 8
    static let ioErrorWrite = SQLITE_IOERR | 3 << 8
    static let ioErrorSync = SQLITE_IOERR | 4 << 8
    static let ioErrorTruncate = SQLITE_IOERR | 6 << 8
    static let ioErrorStatus = SQLITE_IOERR | 7 << 8
    static let ioErrorDelete = SQLITE_IOERR | 10 << 8
    static let ioErrorAccess = SQLITE_IOERR | 13 << 8
    static let ioErrorNoEntry = SQLITE_IOERR | 23 << 8

    /// What `body` answers, or what stands for its error; the errno is kept for `xGetLastError`.
    static func attempt(_ code: Int32, _ body: () throws(DiskError) -> Int32) -> Int32 {
        do throws(DiskError) { return try body() } catch {
            errno = error.errno
            return error.errno == ENOSPC && code == ioErrorWrite ? SQLITE_FULL : code
        }
    }

    private static func answer<R>(_ code: Int32, _ body: () throws(DiskError) -> R) -> R? {
        var result: R?
        _ = attempt(code) { () throws(DiskError) in
            result = try body()
            return SQLITE_OK
        }
        return result
    }
}
