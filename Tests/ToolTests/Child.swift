import Glibc

/// A process, made without Foundation: it can be killed at a moment of the test's choice.
final class Child {
    let pid: pid_t

    /// Starts a program. The descriptors become its standard input, output and error.
    init(_ path: String, _ arguments: [String], input: Int32, output: Int32, error: Int32) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, descriptor) in [input, output, error].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(number))
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let result = posix_spawnp(&pid, path, &actions, nil, &words, environ)
        guard result == 0 else { throw Problem("\(path): \(String(cString: strerror(result)))") }
        self.pid = pid
    }

    func kill(_ signal: Int32 = SIGKILL) { Glibc.kill(pid, signal) }

    /// Waits for the end: the exit code, or 128 and the signal.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        return signal == 0 ? status >> 8 & 0xff : 128 + signal
    }
}

struct Problem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A descriptor that no child inherits by chance, closed when it goes.
final class Descriptor {
    private(set) var number: Int32

    init(_ number: Int32) { self.number = number }

    /// Opens a file for reading, or makes it anew for writing.
    convenience init(_ path: String, writing: Bool = false) throws {
        let flags = writing ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY
        self.init(open(path, flags | O_CLOEXEC, 0o600))
        guard number >= 0 else { throw Problem("\(path): \(String(cString: strerror(errno)))") }
    }

    /// A pipe. Made of sockets, which are closed to other children from the start; a test beside this one may just be
    /// starting one.
    static func pipe() -> (reading: Descriptor, writing: Descriptor) {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        precondition(socketpair(AF_UNIX, kind, 0, &ends) == 0, "no descriptor is left")
        return (Descriptor(ends[0]), Descriptor(ends[1]))
    }

    func close() {
        if number >= 0 { Glibc.close(number) }
        number = -1
    }

    deinit { close() }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            offset += count
        }
    }

    /// One line without its newline; `nil` at the end.
    func readLine() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(number, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }

    /// Whether there is something to read, or the end, before so long.
    func isReadable(within seconds: Int32) -> Bool {
        var request = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, seconds * 1000) > 0
    }

    func readAll() -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while case let count = read(number, &chunk, chunk.count), count > 0 { all += chunk[..<count] }
        return all
    }
}
