import CommitLog
import Csqlite3

extension SimulatedDatabaseFile {
    /// What SQLite calls on an open file.
    nonisolated(unsafe) static let methods: UnsafePointer<sqlite3_io_methods> = {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: sqlite3_io_methods())
        // The second version: with shared memory, without mapped files.
        methods.pointee.iVersion = 2
        setReading(&methods.pointee)
        setWriting(&methods.pointee)
        setLocks(&methods.pointee)
        setSharedMemory(&methods.pointee)
        return UnsafePointer(methods)
    }()

    private static func setReading(_ methods: inout sqlite3_io_methods) {
        methods.xClose = { handle in
            file(handle).close()
            reference(handle).release()
            return SQLITE_OK
        }
        methods.xRead = { handle, bytes, count, offset in
            SimulatedVFS.attempt(SimulatedVFS.ioErrorRead) { () throws(DiskError) in
                let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
                return try file(handle).read(into: buffer, at: Int(offset)) ? SQLITE_OK : SimulatedVFS.ioErrorShortRead
            }
        }
        methods.xFileSize = { handle, count in
            SimulatedVFS.attempt(SimulatedVFS.ioErrorStatus) { () throws(DiskError) in
                count!.pointee = sqlite3_int64(try file(handle).bytes.byteCount())
                return SQLITE_OK
            }
        }
        methods.xFileControl = { _, _, _ in SQLITE_NOTFOUND }
        methods.xSectorSize = { _ in 4096 }
        methods.xDeviceCharacteristics = { _ in SQLITE_IOCAP_POWERSAFE_OVERWRITE }
    }

    private static func setWriting(_ methods: inout sqlite3_io_methods) {
        methods.xWrite = { handle, bytes, count, offset in
            SimulatedVFS.attempt(SimulatedVFS.ioErrorWrite) { () throws(DiskError) in
                try file(handle).bytes.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)), at: Int(offset))
                return SQLITE_OK
            }
        }
        methods.xTruncate = { handle, count in
            SimulatedVFS.attempt(SimulatedVFS.ioErrorTruncate) { () throws(DiskError) in
                try file(handle).bytes.truncate(to: Int(count))
                return SQLITE_OK
            }
        }
        methods.xSync = { handle, _ in
            SimulatedVFS.attempt(SimulatedVFS.ioErrorSync) { () throws(DiskError) in
                try file(handle).sync()
                return SQLITE_OK
            }
        }
    }

    private static func setLocks(_ methods: inout sqlite3_io_methods) {
        methods.xLock = { handle, level in file(handle).lock(level) ? SQLITE_OK : SQLITE_BUSY }
        methods.xUnlock = { handle, level in
            file(handle).unlock(to: level)
            return SQLITE_OK
        }
        methods.xCheckReservedLock = { handle, answer in
            answer!.pointee = file(handle).isReserved ? 1 : 0
            return SQLITE_OK
        }
    }

    private static func setSharedMemory(_ methods: inout sqlite3_io_methods) {
        methods.xShmMap = { handle, index, byteCount, extends, region in
            region!.pointee = file(handle).region(Int(index), byteCount: Int(byteCount), extends: extends != 0)
            return SQLITE_OK
        }
        methods.xShmLock = { handle, first, count, flags in
            let mask = (UInt32(1) << UInt32(count) - 1) << UInt32(first)
            if flags & SQLITE_SHM_UNLOCK != 0 {
                file(handle).unlockMemory(mask)
                return SQLITE_OK
            }
            return file(handle).lockMemory(mask, isExclusive: flags & SQLITE_SHM_EXCLUSIVE != 0)
                ? SQLITE_OK : SQLITE_BUSY
        }
        methods.xShmBarrier = { handle in file(handle).passBarrier() }
        methods.xShmUnmap = { handle, _ in
            file(handle).unmap()
            return SQLITE_OK
        }
    }
}

private func reference(_ handle: UnsafeMutablePointer<sqlite3_file>?) -> Unmanaged<SimulatedDatabaseFile> {
    handle!.withMemoryRebound(to: SimulatedVFS.Handle.self, capacity: 1) { $0.pointee.file }
}

private func file(_ handle: UnsafeMutablePointer<sqlite3_file>?) -> SimulatedDatabaseFile {
    reference(handle).takeUnretainedValue()
}
