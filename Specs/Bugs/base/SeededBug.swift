#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The fault that is switched on in this process, if any. `tools/mutants` puts this file into every module that a bug is
/// seeded in; the sources proper know nothing of it.
enum SeededBug {
    private static let name = getenv("ROOTFAST_BUG").map { String(cString: $0) }

    static func isOn(_ bug: String) -> Bool { name == bug }
}
