import Glibc

/// A call to the operating system that failed, on a file that is not the store's.
struct SystemFailure: Error, CustomStringConvertible {
    var call: String
    var file: String
    var reason: String

    /// From `errno`.
    init(_ call: String, _ file: String) {
        self.call = call
        self.file = file
        reason = String(cString: strerror(errno))
    }

    var description: String { "\(call) failed: \(reason)" }
}
