#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A stretch of a file in memory that moves forward: what has been read and not yet been passed.
///
/// Bytes stay where they are until `readMore`.
final class FileWindow {
    private static let stepMin = 1 << 20
    private static let stepMax = 16 << 20

    private let file: any DiskFile
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private var tail = 0
    /// The file offset of the first byte held.
    private(set) var start: Int
    private(set) var isAtEnd = false

    init(_ file: any DiskFile, from offset: Int = 0) {
        self.file = file
        start = offset
    }

    deinit { free(memory) }

    var count: Int { tail - head }
    /// The file offset behind the last byte held.
    var end: Int { start + count }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory.map { $0 + head }, count: count) }

    /// The bytes of a range of file offsets, which must be held.
    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[(range.lowerBound - start)..<(range.upperBound - start)])
    }

    /// Drops what lies before a file offset.
    func pass(to offset: Int) {
        precondition((start...end).contains(offset))
        head += offset - start
        start = offset
    }

    /// Reads on: at least one more byte, unless the file is at its end.
    func readMore() throws(DiskError) {
        guard !isAtEnd else { return }
        let wanted = min(max(Self.stepMin, count), Self.stepMax)
        makeRoom(for: wanted)
        let buffer = UnsafeMutableRawBufferPointer(start: memory! + tail, count: wanted)
        let read = try file.read(into: buffer, at: end)
        tail += read
        isAtEnd = read < wanted
    }

    private func makeRoom(for wanted: Int) {
        if capacity - tail >= wanted { return }
        if let memory, head > 0 { memory.copyMemory(from: memory + head, byteCount: count) }
        tail -= head
        head = 0
        if capacity - tail >= wanted { return }
        capacity = max(tail + wanted, capacity + capacity / 2)
        guard let grown = realloc(memory, capacity) else { preconditionFailure("out of memory") }
        memory = grown
    }
}
