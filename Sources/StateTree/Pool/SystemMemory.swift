#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Large memory straight from the system: it reads as zeros, and costs what is touched of it.
enum SystemMemory {
    /// - Parameter alignment: a multiple of the system's page size, or 1.
    static func map(_ byteCount: Int, alignment: Int = 1) -> UnsafeMutableRawPointer {
        #if canImport(Darwin)
            let flags = MAP_PRIVATE | MAP_ANON
        #else
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        #endif
        let slack = alignment > 1 ? alignment : 0
        let mapped = mmap(nil, byteCount + slack, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { preconditionFailure("out of memory") }
        guard slack > 0 else { return mapped }
        let start = mapped.alignedUp(toMultipleOf: alignment)
        if start > mapped { munmap(mapped, start - mapped) }
        let after = slack - (start - mapped)
        if after > 0 { munmap(start + byteCount, after) }
        return start
    }

    static func unmap(_ memory: UnsafeMutableRawPointer, _ byteCount: Int) { munmap(memory, byteCount) }
}
