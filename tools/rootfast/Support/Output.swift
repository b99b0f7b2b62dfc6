import Glibc
import StrictJSON
import Threading

/// Standard output and standard error.
///
/// Lines go out whole: `print` writes at once, so that nothing is lost in a crash and a reader at a pipe never waits;
/// `append` gathers up to 64 KiB, for scans and logs, which have an end. Any thread may print.
///
/// `@unchecked Sendable`, because `pending` is touched under `lock` only.
final class Output: @unchecked Sendable {
    /// The reader has gone, as `head` does: no error, but the end.
    struct Closed: Error {}

    struct Failed: Error {
        var reason: String
    }

    static let standard = Output()
    private let lock = Lock()
    private var pending: [UInt8] = []
    private static let pendingCountMax = 64 << 10

    /// Makes a closed pipe an error of `write`, so that a store is closed in order.
    static func ignoreClosedPipes() { signal(SIGPIPE, SIG_IGN) }

    /// Prints one line.
    func print(_ line: String) throws { try print(Array(line.utf8)) }

    func print(_ line: [UInt8]) throws {
        try lock.withLock {
            pending += line
            pending.append(UInt8(ascii: "\n"))
            try flush()
        }
    }

    func print(_ answer: borrowing Answer) throws { try print(answer.bytes) }

    /// Adds one line, to be printed with others.
    func append(_ line: UnsafeRawBufferPointer) throws {
        try lock.withLock {
            pending += line
            pending.append(UInt8(ascii: "\n"))
            if pending.count >= Self.pendingCountMax { try flush() }
        }
    }

    /// Prints what is left; the end of a command's output.
    func finish() throws { try lock.withLock { try flush() } }

    /// Runs what prints a result, to its end or until its reader has gone: the exit code is the result's either way.
    static func whileRead(_ body: () throws -> Void) throws {
        do { try body() } catch is Closed {}
    }

    private func flush() throws {
        defer { pending.removeAll(keepingCapacity: true) }
        try pending.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let count = write(1, bytes.baseAddress! + offset, bytes.count - offset)
                if count >= 0 {
                    offset += count
                } else if errno == EPIPE {
                    throw Closed()
                } else if errno != EINTR {
                    throw Failed(reason: String(cString: strerror(errno)))
                }
            }
        }
    }

    /// Writes a line to standard error; if it cannot be, there is nobody to tell.
    static func error(_ line: String) { raw(line + "\n") }

    static func raw(_ text: String) {
        Array(text.utf8).withUnsafeBytes { _ = write(2, $0.baseAddress!, $0.count) }
    }
}
