import Glibc

/// A file to read from, or standard input for `-`.
struct InputFile: ~Copyable {
    let name: String
    private let descriptor: Int32

    init(_ path: String) throws {
        guard path != "-" else {
            (name, descriptor) = ("standard input", 0)
            return
        }
        name = path
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure("open", path) }
        // A folder opens, and only fails to be read: too late for who must not make a store for it.
        guard Glibc.read(descriptor, nil, 0) == 0 else { throw SystemFailure("read", path) }
    }

    deinit { if descriptor > 0 { close(descriptor) } }

    /// Reads what is there, at most as much as there is room for; 0 at the end.
    func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Glibc.read(descriptor, target.baseAddress, target.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw SystemFailure("read", name) }
        }
    }

    /// Whether `read` would answer at once.
    var isReady: Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 0) > 0
    }

    /// The whole content, or `nil` if it is longer than that.
    func readAll(byteCountMax: Int) throws -> [UInt8]? {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try chunk.withUnsafeMutableBytes { try read(into: $0) }
            if count == 0 { return content }
            guard content.count + count <= byteCountMax else { return nil }
            content += chunk[..<count]
        }
    }
}
