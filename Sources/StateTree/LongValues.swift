/// Values that are too long for a page, each in memory of its own, by number.
///
/// One thread at a time makes and removes; any number read what they have come by through a frozen page: the table's
/// chunks are never moved, and an entry is written before a page that refers to it is frozen.
struct LongValues {
    private static let chunkCount = 1 << 14
    private static let countPerChunk = 1 << 14

    private struct Value {
        var base: UnsafeMutableRawPointer?
        var count = 0
    }
    private struct State {
        var used: UInt32 = 0
        var free = GrowingBuffer<UInt32>()
        var byteCount = 0
    }

    private let chunks: UnsafeMutablePointer<UnsafeMutablePointer<Value>?>
    private let state: UnsafeMutablePointer<State>

    init() {
        chunks = .allocate(capacity: Self.chunkCount)
        chunks.initialize(repeating: nil, count: Self.chunkCount)
        state = .allocate(capacity: 1)
        state.initialize(to: State())
    }

    func free() {
        for number in 0..<state.pointee.used { entry(number).pointee.base?.deallocate() }
        for i in 0..<Self.chunkCount { chunks[i]?.deallocate() }
        chunks.deallocate()
        state.pointee.free.free()
        state.deallocate()
    }

    var byteCount: Int { state.pointee.byteCount }

    subscript(number: UInt32) -> UnsafeRawPointer { UnsafeRawPointer(entry(number).pointee.base.unsafelyUnwrapped) }

    func make(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let number = state.pointee.free.isEmpty ? makeEntry() : state.pointee.free.removeLast()
        let base = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 8)
        base.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        entry(number).pointee = Value(base: base, count: bytes.count)
        state.pointee.byteCount += bytes.count
        return number
    }

    func remove(_ number: UInt32) {
        state.pointee.byteCount -= entry(number).pointee.count
        entry(number).pointee.base!.deallocate()
        entry(number).pointee.base = nil
        state.pointee.free.append(number)
    }

    private func makeEntry() -> UInt32 {
        let number = Int(state.pointee.used)
        let chunk = number / Self.countPerChunk
        precondition(chunk < Self.chunkCount, "a tree has at most 268 million long values")
        if chunks[chunk] == nil {
            let entries = UnsafeMutablePointer<Value>.allocate(capacity: Self.countPerChunk)
            entries.initialize(repeating: Value(), count: Self.countPerChunk)
            chunks[chunk] = entries
        }
        state.pointee.used += 1
        return UInt32(number)
    }

    private func entry(_ number: UInt32) -> UnsafeMutablePointer<Value> {
        chunks[Int(number) / Self.countPerChunk].unsafelyUnwrapped + Int(number) % Self.countPerChunk
    }
}
