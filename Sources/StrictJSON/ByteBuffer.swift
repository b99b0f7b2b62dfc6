/// A growable run of raw bytes to append to: where lines are written before they go to disk.
///
/// Guarantees: (1) it is the only owner of its memory, which stays where it is until an append that needs more room;
/// (2) it grows by doubling, so that n bytes appended cost O(n); (3) only bytes that were appended can be read.
// Without @usableFromInline on the type the compiler inlines none of its members in other modules (Swift 6.3).
@usableFromInline
package struct ByteBuffer: ~Copyable {
    /// `nil` until the first byte is asked for.
    @usableFromInline var base: UnsafeMutableRawPointer?
    @usableFromInline var capacity: Int
    @usableFromInline var used: Int

    @inlinable
    package init(capacity: Int = 0) {
        base = nil
        self.capacity = 0
        used = 0
        if capacity > 0 { grow(by: capacity) }
    }

    deinit { base?.deallocate() }

    @inlinable
    package var count: Int { used }

    @inlinable
    package var isEmpty: Bool { used == 0 }

    /// What was appended; valid until the next mutation.
    @inlinable
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: used) }

    @inlinable
    package borrowing func withUnsafeBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try body(UnsafeRawBufferPointer(start: base, count: used))
    }

    package mutating func removeAll(keepingCapacity: Bool = false) {
        used = 0
        guard !keepingCapacity else { return }
        base?.deallocate()
        base = nil
        capacity = 0
    }

    /// Forgets the bytes from `count` on; `count` is not beyond the end: a precondition.
    @inlinable
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= used, "truncate(to:) beyond the end")
        used = count
    }

    /// Makes room for so many more bytes.
    @inlinable
    package mutating func reserve(_ extra: Int) {
        if extra > capacity &- used { grow(by: extra) }
    }

    @inlinable
    package mutating func append(_ byte: UInt8) {
        reserve(1)
        end.storeBytes(of: byte, as: UInt8.self)
        used &+= 1
    }

    @inlinable
    package mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        end.copyMemory(from: source, byteCount: bytes.count)
        used &+= bytes.count
    }

    @inlinable
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Where the next byte goes; only after `reserve` of at least one.
    @inlinable
    var end: UnsafeMutableRawPointer { base.unsafelyUnwrapped + used }

    @usableFromInline
    mutating func grow(by extra: Int) {
        let wanted = max(used + extra, capacity * 2, 64)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: wanted, alignment: 16)
        if let base {
            larger.copyMemory(from: base, byteCount: used)
            base.deallocate()
        }
        base = larger
        capacity = wanted
    }
}

// Proof: a ByteBuffer cannot be copied and is the only owner of its memory (1), so whoever has it, on whatever
// thread, is the only one who reaches that memory.
extension ByteBuffer: @unchecked Sendable {}
