/// The keys and values of one commit, side by side in memory that is used again for the next. It belongs to one thread.
final class Batch {
    let count: Int
    private let memory: UnsafeMutableRawPointer

    init(count: Int) {
        self.count = count
        // Eight bytes more than needed: values are filled in whole words.
        memory = .allocate(byteCount: count * Shape.entryLength + 8, alignment: 8)
    }

    deinit { memory.deallocate() }

    func key(_ position: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + position * Shape.entryLength, count: Shape.keyLength)
    }

    func value(_ position: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: memory + position * Shape.entryLength + Shape.keyLength, count: Shape.valueLength)
    }

    /// Puts the key with this index there, and a value made of `seed`. Later positions are to be set after it.
    func set(_ position: Int, key index: UInt64, valueFrom seed: UInt64) {
        let start = memory + position * Shape.entryLength
        Key.write(index, to: start)
        var bits = seed
        for offset in stride(from: Shape.keyLength, to: Shape.entryLength, by: 8) {
            bits = mixed(bits)
            start.storeBytes(of: letters(bits), toByteOffset: offset, as: UInt64.self)
        }
    }
}

/// Keys: 16 letters that look random; different indices give different keys.
enum Key {
    @inline(__always)
    static func write(_ index: UInt64, to memory: UnsafeMutableRawPointer) {
        let bits = mixed(index)
        memory.storeBytes(of: letters(bits), as: UInt64.self)
        memory.storeBytes(of: letters(bits >> 4), toByteOffset: 8, as: UInt64.self)
    }
}
