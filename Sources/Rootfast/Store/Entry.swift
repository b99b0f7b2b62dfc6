/// One key with its value.
public struct Entry: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

/// Which keys a scan covers, in which order, and how many.
public struct ScanRange: Hashable, Sendable {
    /// The first key, or `nil` for no bound.
    public var from: [UInt8]?
    /// The first key that is not covered, or `nil` for no bound.
    public var to: [UInt8]?
    public var isReversed = false
    /// At most this many entries; `nil` for all.
    public var limit: Int?

    /// All keys.
    public init() {}

    /// The keys of [from, to).
    public init(from: (some Bytes)?, to: (some Bytes)?) {
        self.from = from?.storedBytes
        self.to = to?.storedBytes
    }

    /// The keys that begin with a prefix.
    public init(prefix: some Bytes) {
        let bytes = prefix.storedBytes
        from = bytes
        to = Self.end(ofPrefix: bytes)
    }

    public func reversed() -> ScanRange {
        var copy = self
        copy.isReversed.toggle()
        return copy
    }

    public func limited(to count: Int) -> ScanRange {
        var copy = self
        copy.limit = min(max(count, 0), limit ?? .max)
        return copy
    }

    /// The least key behind all that begin with `prefix`; `nil` if there is none.
    static func end(ofPrefix prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 != 0xff }) else { return nil }
        return prefix[..<last] + [prefix[last] + 1]
    }
}
