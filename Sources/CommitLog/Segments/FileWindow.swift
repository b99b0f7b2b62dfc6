/// A stretch of a file in memory that moves forward: what has been read and not yet been passed.
///
/// Bytes stay where they are until `readMore`.
final class FileWindow {
    private static let step = 1 << 20

    private let file: any DiskFile
    private var memory: UnsafeMutableRawPointer
    private var capacity = 0
    private var head = 0
    private var tail = 0
    /// The file offset of the first byte held.
    private(set) var start: Int
    private(set) var isAtEnd = false

    init(_ file: any DiskFile, from offset: Int = 0) {
        self.file = file
        start = offset
        memory = .allocate(byteCount: 0, alignment: 64)
    }

    deinit { memory.deallocate() }

    var count: Int { tail - head }
    /// The file offset behind the last byte held.
    var end: Int { start + count }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory + head, count: count) }

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
        let wanted = max(Self.step, count)
        makeRoom(for: wanted)
        let buffer = UnsafeMutableRawBufferPointer(start: memory + tail, count: wanted)
        let read = try file.read(into: buffer, at: end)
        tail += read
        isAtEnd = read < wanted
    }

    private func makeRoom(for wanted: Int) {
        if capacity - tail >= wanted { return }
        let held = count
        if capacity - held < wanted {
            let larger = UnsafeMutableRawPointer.allocate(byteCount: held + wanted, alignment: 64)
            larger.copyMemory(from: memory + head, byteCount: held)
            memory.deallocate()
            memory = larger
            capacity = held + wanted
        } else {
            memory.copyMemory(from: memory + head, byteCount: held)
        }
        head = 0
        tail = held
    }
}
