import Glibc

/// The exit codes: a contract with scripts.
enum ExitStatus: Int32, Error {
    case sound = 0
    /// An operation failed.
    case failed = 1
    /// Damage was found, or a proof was refused.
    case verificationFailed = 2
    /// Sound, but with a torn tail, a transaction in doubt, lines that could not be imported, or something that could not be
    /// salvaged.
    case wantsAttention = 3
    case noStore = 10
    case locked = 11
    /// No such key or transaction, or a state that is not retained.
    case notFound = 12
    case usage = 64

    func exit() -> Never { Glibc.exit(rawValue) }
}
