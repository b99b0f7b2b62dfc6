/// A BLAKE2b-256 digest: 32 bytes, held as four words in memory order.
///
/// Four words compare and copy in under a nanosecond; an array of bytes does not.
@frozen
public struct Digest: Hashable, Sendable, BitwiseCopyable {
    /// The 32 bytes as they lie in memory; what number a word shows depends on the processor.
    public var words: (UInt64, UInt64, UInt64, UInt64)

    /// 32 zero bytes: what stands for the tree of no keys.
    @inlinable
    public static var zero: Digest { Digest() }

    /// 32 zero bytes.
    @inlinable
    public init() { words = (0, 0, 0, 0) }

    /// Reads exactly 32 bytes; `nil` for any other length.
    @inlinable
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        self.init()
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    }

    /// Reads 64 lower-case hexadecimal digits; `nil` for anything else.
    public init?(hex: some StringProtocol) {
        guard hex.utf8.count == 64, let bytes = Hex.decode(hex.utf8) else { return nil }
        self.init(bytes: bytes)
    }

    /// Calls `body` with the 32 bytes, which live no longer than the call.
    @inlinable
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var copy = words
        do {
            return try Swift.withUnsafeBytes(of: &copy) { bytes throws(E) in try body(bytes) }
        } catch {
            throw error
        }
    }

    /// The 32 bytes, copied.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { String(decoding: withUnsafeBytes { Hex.encode($0) }, as: UTF8.self) }

    @inlinable
    public static func == (a: Digest, b: Digest) -> Bool {
        a.words.0 == b.words.0 && a.words.1 == b.words.1 && a.words.2 == b.words.2 && a.words.3 == b.words.3
    }

    /// Two words are enough: the bytes of a digest are as good as random.
    @inlinable
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension Digest: CustomStringConvertible {
    public var description: String { hex }
}
