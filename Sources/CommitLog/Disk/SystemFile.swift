#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of the real disk.
final class SystemFile: DiskFile {
    private let descriptor: Descriptor
    private let name: String

    init(_ descriptor: Descriptor, name: String) {
        self.descriptor = descriptor
        self.name = name
    }

    func byteCount() throws(DiskError) -> Int {
        var status = stat()
        guard fstat(descriptor.number, &status) == 0 else { throw failure("fstat") }
        return Int(status.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        var done = 0
        while done < buffer.count {
            let count = Glue.retrying {
                pread(descriptor.number, buffer.baseAddress! + done, buffer.count - done, off_t(offset + done))
            }
            guard count >= 0 else { throw failure("pread") }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        var done = 0
        while done < bytes.count {
            let count = Glue.retrying {
                pwrite(descriptor.number, bytes.baseAddress! + done, bytes.count - done, off_t(offset + done))
            }
            guard count >= 0 else { throw failure("pwrite") }
            done += count
        }
    }

    func zeroFill(from: Int, to: Int) throws(DiskError) {
        guard from < to else { return }
        try reserve(from: from, to: to)
        try writeZeros(from: from, to: to)
    }

    /// Reserves blocks, so that a full disk shows here. File systems without it say so, and writing does all the work.
    func reserve(from: Int, to: Int) throws(DiskError) {
        #if os(Linux)
            var result: Int32
            repeat { result = posix_fallocate(descriptor.number, off_t(from), off_t(to - from)) } while result == EINTR
            guard result == 0 || result == EOPNOTSUPP || result == EINVAL else {
                throw DiskError(call: "posix_fallocate", name: name, errno: result)
            }
        #endif
    }

    func writeZeros(from: Int, to: Int) throws(DiskError) {
        guard from < to else { return }
        let step = 256 << 10
        try withUnsafeTemporaryAllocation(byteCount: min(step, to - from), alignment: 4096) {
            zeros throws(DiskError) in
            zeros.initializeMemory(as: UInt8.self, repeating: 0)
            for offset in stride(from: from, to: to, by: step) {
                try write(UnsafeRawBufferPointer(rebasing: zeros[..<min(step, to - offset)]), at: offset)
            }
        }
    }

    func truncate(to count: Int) throws(DiskError) {
        guard Glue.retrying({ ftruncate(descriptor.number, off_t(count)) }) == 0 else { throw failure("ftruncate") }
    }

    func sync() throws(DiskError) {
        #if canImport(Darwin)
            guard fcntl(descriptor.number, F_FULLFSYNC) == 0 else { throw failure("fcntl(F_FULLFSYNC)") }
        #else
            guard fdatasync(descriptor.number) == 0 else { throw failure("fdatasync") }
        #endif
    }

    private func failure(_ call: String) -> DiskError { DiskError(call: call, name: name, errno: errno) }
}
