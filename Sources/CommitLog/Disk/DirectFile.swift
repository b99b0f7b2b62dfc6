import Threading

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of the real disk whose writes go past the page cache (`O_DIRECT`), whole blocks at a time.
///
/// A small overwrite with its sync costs the disk 512 bytes or a few times that in place of a page or two, and a larger
/// one is up to twice as fast. What a write leaves of its last block is filled with zeros, and of its first block is
/// taken from memory, where the write before ended there, or read.
///
/// `@unchecked Sendable`, because what is mutable is touched under `lock` only.
final class DirectFile: DiskFile, @unchecked Sendable {
    private static let stagingBytes = 1 << 20
    private static let zeroBytes = 256 << 10
    private static let alignment = 4096

    /// The same file through the page cache: for reading, lengths and syncing.
    private let plain: SystemFile
    private let descriptor: Descriptor
    private let blockBytes: Int
    private let name: String
    private let lock = Lock()
    private let staging: UnsafeMutableRawPointer
    /// The end of the last write and what stands before it in its block.
    private var tailEnd = -1
    private var tail: [UInt8] = []

    /// `nil` if the system or the file system has no such thing.
    init?(_ plain: SystemFile, in folder: Descriptor, name: String) {
        #if os(Linux)
            let number = Glue.open(at: folder.number, name, O_RDWR | Glue.direct | O_CLOEXEC | O_NOFOLLOW)
            guard number >= 0 else { return nil }
            let descriptor = Descriptor(number)
            let staging = UnsafeMutableRawPointer.allocate(byteCount: Self.stagingBytes, alignment: Self.alignment)
            // Not every file system that opens a file so also reads it so, nor in blocks of any size.
            let fitting = [512, 4096].first { count in
                Glue.retrying { pread(number, staging, count, 0) } >= 0
            }
            guard let fitting else {
                staging.deallocate()
                return nil
            }
            self.staging = staging
            self.plain = plain
            self.descriptor = descriptor
            self.name = name
            blockBytes = fitting
        #else
            return nil
        #endif
    }

    deinit { staging.deallocate() }

    func byteCount() throws(DiskError) -> Int { try plain.byteCount() }
    func truncate(to count: Int) throws(DiskError) { try plain.truncate(to: count) }
    func sync() throws(DiskError) { try plain.sync() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try plain.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) {
        try lock.withLock { () throws(DiskError) in
            let start = offset / blockBytes * blockBytes
            var head = try bytesBefore(offset, from: start)
            var position = start
            var rest = bytes
            repeat {
                let count = min(rest.count, Self.stagingBytes - head.count)
                let filled = fill(head, UnsafeRawBufferPointer(rebasing: rest[..<count]))
                try writeBlocks(staging, filled.roundedUp(to: blockBytes), at: position)
                let tailBytes = filled % blockBytes
                tail = Array(UnsafeRawBufferPointer(start: staging + (filled - tailBytes), count: tailBytes))
                position += filled
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                head = []
            } while !rest.isEmpty
            tailEnd = offset + bytes.count
        }
    }

    func zeroFill(from: Int, to: Int) throws(DiskError) {
        let (start, end) = (from.roundedUp(to: Self.alignment), to / Self.alignment * Self.alignment)
        guard start < end else { return try plain.zeroFill(from: from, to: to) }
        try plain.reserve(from: from, to: to)
        try plain.writeZeros(from: from, to: start)
        // From memory of its own, and in small steps: flushes are written meanwhile.
        let zeros = UnsafeMutableRawPointer.allocate(byteCount: Self.zeroBytes, alignment: Self.alignment)
        defer { zeros.deallocate() }
        zeros.initializeMemory(as: UInt8.self, repeating: 0, count: Self.zeroBytes)
        for offset in stride(from: start, to: end, by: Self.zeroBytes) {
            try writeBlocks(zeros, min(Self.zeroBytes, end - offset), at: offset)
        }
        try plain.writeZeros(from: end, to: to)
    }

    /// What the first block holds before a write.
    private func bytesBefore(_ offset: Int, from start: Int) throws(DiskError) -> [UInt8] {
        guard start < offset else { return [] }
        if tailEnd == offset { return tail }
        var bytes = [UInt8](repeating: 0, count: offset - start)
        try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
            _ = try plain.read(into: UnsafeMutableRawBufferPointer(buffer), at: start)
        }
        return bytes
    }

    /// Puts `head`, `bytes`, and zeros up to the end of a block into the staging memory; returns how many of the first.
    private func fill(_ head: [UInt8], _ bytes: UnsafeRawBufferPointer) -> Int {
        let count = head.count + bytes.count
        let target = UnsafeMutableRawBufferPointer(start: staging, count: count.roundedUp(to: blockBytes))
        target.copyBytes(from: head)
        UnsafeMutableRawBufferPointer(rebasing: target[head.count...]).copyMemory(from: bytes)
        UnsafeMutableRawBufferPointer(rebasing: target[count...]).initializeMemory(as: UInt8.self, repeating: 0)
        return count
    }

    private func writeBlocks(_ memory: UnsafeRawPointer, _ count: Int, at offset: Int) throws(DiskError) {
        var done = 0
        while done < count {
            let result = Glue.retrying {
                pwrite(descriptor.number, memory + done, count - done, off_t(offset + done))
            }
            if result < 0, errno == EINVAL {
                // The file system wants something else of what it writes so than of what it reads so.
                let rest = UnsafeRawBufferPointer(start: memory + done, count: count - done)
                return try plain.write(rest, at: offset + done)
            }
            guard result >= 0 else { throw DiskError(call: "pwrite", name: name, errno: errno) }
            // Half a block written is written anew.
            done += result / blockBytes * blockBytes
            guard result >= blockBytes || done == count else {
                throw DiskError(call: "pwrite", name: name, errno: EIO)
            }
        }
    }
}

extension Int {
    fileprivate func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}
