/// Memory given out piece by piece that stays where it is until all of it is given back.
///
/// Taken in chunks, so that nothing ever moves. Bounded: at most about twice what was kept, and one chunk.
struct ScratchMemory: ~Copyable {
    private static let chunkBytes = 64 << 10

    /// All but the last are full.
    private var chunks: [UnsafeMutableRawBufferPointer] = []
    /// How much of the last chunk was given out.
    private var used = 0

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// Room for so many bytes; what of it is to stay, `keep` says next.
    mutating func room(for count: Int) -> UnsafeMutableRawPointer {
        if let last = chunks.last, last.count - used >= count { return last.baseAddress.unsafelyUnwrapped + used }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, Self.chunkBytes), alignment: 16)
        chunks.append(chunk)
        used = 0
        return chunk.baseAddress.unsafelyUnwrapped
    }

    /// Keeps the first bytes of the room last given.
    mutating func keep(_ count: Int) -> UnsafeRawBufferPointer {
        let last = chunks[chunks.count - 1]
        precondition(count <= last.count - used, "more kept than there was room for")
        defer { used += count }
        return UnsafeRawBufferPointer(rebasing: last[used..<used + count])
    }

    /// Takes everything back, and keeps one chunk of the usual size for the next time.
    mutating func removeAll() {
        used = 0
        guard let first = chunks.first else { return }
        let isUsual = first.count == Self.chunkBytes
        for chunk in chunks.dropFirst(isUsual ? 1 : 0) { chunk.deallocate() }
        chunks.removeSubrange((isUsual ? 1 : 0)...)
    }
}
