import Hashing
import SeededRandom

/// Memory for the inputs and digests of a batch, at odd addresses and with random bytes all around: whatever reads or
/// writes one byte too far shows.
final class Memory {
    private let start: UnsafeMutablePointer<UInt8>
    private let capacity: Int
    private var used = 0
    private var generator: SeededGenerator
    private var guards: [(at: Int, byte: UInt8)] = []

    init(capacity: Int, seed: UInt64) {
        start = .allocate(capacity: capacity)
        self.capacity = capacity
        generator = SeededGenerator(seed: seed)
        for index in 0..<capacity { start[index] = UInt8(truncatingIfNeeded: generator.next()) }
    }

    deinit { start.deallocate() }

    /// A copy of `bytes`, between two bytes that have to stay as they are.
    func place(_ bytes: [UInt8]) -> UnsafeMutableBufferPointer<UInt8> {
        precondition(used + bytes.count + 2 <= capacity)
        guardByte(at: used)
        let copy = UnsafeMutableBufferPointer(start: start + used + 1, count: bytes.count)
        for (index, byte) in bytes.enumerated() { copy[index] = byte }
        used += bytes.count + 1
        guardByte(at: used)
        return copy
    }

    /// Room for a digest.
    func digest() -> UnsafeMutablePointer<UInt8> { place([UInt8](repeating: 0, count: 32)).baseAddress! }

    var guardsHold: Bool { guards.allSatisfy { start[$0.at] == $0.byte } }

    private func guardByte(at index: Int) { guards.append((index, start[index])) }
}

extension Digest {
    init(at pointer: UnsafePointer<UInt8>) {
        self.init(bytes: UnsafeBufferPointer(start: pointer, count: 32))!
    }
}
