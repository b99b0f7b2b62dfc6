import Foundation

/// An open file; closed when it is released.
final class SystemFile {
    private let descriptor: Int32
    private let path: String

    init(_ path: String, _ flags: Int32) throws {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError("open", path) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var written = 0
        while written < bytes.count {
            let count = pwrite(descriptor, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
            guard count > 0 else { throw FileError("write", path) }
            written += count
        }
    }

    func truncate(to length: Int) throws {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw FileError("truncate", path) }
    }

    /// Makes the content durable, and of what is told about the file only what reading it needs.
    func sync() throws {
        #if canImport(Darwin)
            let status = fcntl(descriptor, F_FULLFSYNC)
        #else
            let status = fdatasync(descriptor)
        #endif
        guard status == 0 else { throw FileError("sync", path) }
    }
}

/// What the system refused.
struct FileError: Error, CustomStringConvertible {
    let description: String

    init(_ call: String, _ path: String) { description = "\(call) \(path): \(String(cString: strerror(errno)))" }
}
