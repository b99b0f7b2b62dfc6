import StrictJSON

/// What can stand for a key or a value: bytes as they are, or text as its UTF-8.
///
/// Bytes are compared as bytes, never as Unicode text: `"é"` and `"e\u{301}"` are two keys.
public protocol Bytes {
    var storedBytes: [UInt8] { get }
}

extension [UInt8]: Bytes {
    @inlinable public var storedBytes: [UInt8] { self }
}

extension String: Bytes {
    @inlinable public var storedBytes: [UInt8] { Array(utf8) }
}

extension Substring: Bytes {
    @inlinable public var storedBytes: [UInt8] { Array(utf8) }
}

extension [UInt8] {
    /// Byte order, the order of keys.
    func precedes(_ other: [UInt8]) -> Bool { withUnsafeBytes { a in other.withUnsafeBytes { a.precedes($0) } } }
}
