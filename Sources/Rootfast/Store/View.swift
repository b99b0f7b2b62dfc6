public import Hashing
public import StateTree

/// The state as it was at one sequence: consistent, never blocked by writers, readable from any thread.
///
/// What it costs to get says `Store.view`. Keep it only as long as it is needed: it keeps the memory of what it shows.
public struct View: Sendable {
    let state: StateView

    /// The last commit that this view shows; 0 for the empty store.
    public var sequence: UInt64 { state.sequence }
    /// The number of keys.
    public var count: Int { state.tree.count }
    /// The root of the state.
    public var root: Digest { state.tree.root! }

    /// The value of a key, or `nil`. Costs one descent, about a microsecond in a million keys, and a copy; and for each
    /// page on the way that is not in memory, a look at the disk.
    ///
    /// - Throws: `corrupt` or `inputOutput` if such a page cannot be read; so does everything that reads.
    @inlinable
    public func get(_ key: some Bytes) throws(StoreError) -> [UInt8]? {
        try key.withStoredBytes { key throws(StoreError) in try copyValue(key) }
    }

    @inlinable
    public subscript(key: some Bytes) -> [UInt8]? { get throws(StoreError) { try self.get(key) } }

    /// The value of a key without copying it; the bytes are valid within `body` only. Keep it short where the state does
    /// not fit in memory: until it returns, nothing leaves.
    @inlinable
    public func withValue<R>(of key: some Bytes, _ body: (UnsafeRawBufferPointer?) throws -> R) throws -> R {
        let reading = beginReading()
        defer { endReading(reading) }
        return try key.withStoredBytes { try body(find($0)) }
    }

    // The steps of a look-up that are not inlined into the caller.

    @usableFromInline
    func beginReading() -> UnsafeMutablePointer<Int64>? { state.tree.beginReading() }

    @usableFromInline
    func endReading(_ reading: UnsafeMutablePointer<Int64>?) { state.tree.endReading(reading) }

    @usableFromInline
    func find(_ key: UnsafeRawBufferPointer) throws(StoreError) -> UnsafeRawBufferPointer? {
        do throws(PageError) { return try state.tree.value(for: key) } catch { throw StoreError(error) }
    }

    @usableFromInline
    func copyValue(_ key: UnsafeRawBufferPointer) throws(StoreError) -> [UInt8]? {
        try StoreError.wrapping { () throws(PageError) in
            try state.tree.reading { () throws(PageError) in try state.tree.value(for: key).map { Array($0) } }
        }
    }

    /// Calls `body` with each entry of a range, in order, until it answers false. Costs one descent, then the entries.
    ///
    /// - Throws: what `body` throws, and as `get`.
    public func scan(
        _ range: ScanRange = ScanRange(), _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        var remaining = range.limit ?? .max
        guard remaining > 0 else { return }
        func count(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool {
            remaining -= 1
            return try body(key, value) && remaining > 0
        }
        try (range.from ?? []).withUnsafeBytes { from in
            try (range.to ?? []).withUnsafeBytes { to in
                let (from, to) = (range.from == nil ? nil : from, range.to == nil ? nil : to)
                do {
                    if range.isReversed {
                        try state.tree.forEachReversed(from: from, to: to, count)
                    } else {
                        try state.tree.forEach(from: from, to: to, count)
                    }
                } catch let error as PageError {
                    throw StoreError(error)
                }
            }
        }
    }

    /// The entries of a range, copied.
    public func entries(_ range: ScanRange = ScanRange()) throws -> [Entry] {
        var entries: [Entry] = []
        try scan(range) { key, value in
            entries.append(Entry(key: Array(key), value: Array(value)))
            return true
        }
        return entries
    }

    /// A proof that the key is present or absent, for anyone who trusts `root`.
    ///
    /// - Throws: `invalidArgument` for a key of no byte or more than 1,024.
    public func proof(for key: some Bytes) throws(StoreError) -> Proof {
        try key.withStoredBytes { key throws(StoreError) in
            try Limits.check(key: key)
            return try StoreError.wrapping { () throws(PageError) in try state.tree.proof(for: key) }
        }
    }

    /// A proof of all that the state holds in [from, to); its size is that of the range. `nil` is no bound.
    public func rangeProof(from: [UInt8]?, to: [UInt8]?) throws(StoreError) -> RangeProof {
        try StoreError.wrapping { () throws(PageError) in try state.tree.rangeProof(from: from, to: to) }
    }
}
