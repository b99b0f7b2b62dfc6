import StrictJSON

/// What can stand for a key or a value: bytes as they are, or text as its UTF-8.
///
/// Bytes are compared as bytes, never as Unicode text: `"é"` and `"e\u{301}"` are two keys.
public protocol Bytes {
    var storedBytes: [UInt8] { get }

    /// Runs `body` with the bytes, which are valid within it only: where they lie, if it can be done without a copy.
    func withStoredBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R
}

extension Bytes {
    @inlinable
    public func withStoredBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try storedBytes.withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}

extension [UInt8]: Bytes {
    @inlinable public var storedBytes: [UInt8] { self }
}

extension ArraySlice<UInt8>: Bytes {
    @inlinable public var storedBytes: [UInt8] { Array(self) }

    @inlinable
    public func withStoredBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { bytes throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}

/// For who has the bytes in memory of another kind, such as a network library's buffer.
extension UnsafeRawBufferPointer: Bytes {
    @inlinable public var storedBytes: [UInt8] { Array(self) }

    @inlinable
    public func withStoredBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try body(self)
    }
}

extension String: Bytes {
    @inlinable public var storedBytes: [UInt8] { Array(utf8) }

    @inlinable
    public func withStoredBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var text = self
        return try text.withUTF8 { utf8 in
            Result { () throws(E) in try body(UnsafeRawBufferPointer(utf8)) }
        }.get()
    }
}

extension Substring: Bytes {
    @inlinable public var storedBytes: [UInt8] { Array(utf8) }
}

extension [UInt8] {
    /// Byte order, the order of keys.
    func precedes(_ other: [UInt8]) -> Bool { withUnsafeBytes { a in other.withUnsafeBytes { a.precedes($0) } } }
}
