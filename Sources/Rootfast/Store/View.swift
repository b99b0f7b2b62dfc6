public import Hashing
public import StateTree

/// The state as it was at one sequence: consistent, never blocked by writers, readable from any thread.
///
/// Costs O(1) to get. Keep it only as long as it is needed: it keeps the memory of what it shows.
public struct View: Sendable {
    let state: StateView

    /// The last commit that this view shows; 0 for the empty store.
    public var sequence: UInt64 { state.sequence }
    /// The number of keys.
    public var count: Int { state.tree.count }
    /// The root of the state.
    public var root: Digest { state.tree.root! }

    /// The value of a key, or `nil`. Costs one descent, about a microsecond in a million keys, and a copy.
    @inlinable
    public func get(_ key: some Bytes) -> [UInt8]? {
        withValue(of: key) { $0.map { Array($0) } }
    }

    @inlinable
    public subscript(key: some Bytes) -> [UInt8]? { self.get(key) }

    /// The value of a key without copying it; the bytes are valid within `body` only.
    @inlinable
    public func withValue<R, E: Error>(
        of key: some Bytes, _ body: (UnsafeRawBufferPointer?) throws(E) -> R
    ) throws(E) -> R {
        try key.storedBytes.withUnsafeBufferPointer { key throws(E) in
            try body(find(UnsafeRawBufferPointer(key)))
        }
    }

    /// The one step of a look-up that is not inlined into the caller.
    @usableFromInline
    func find(_ key: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? { state.tree.value(for: key) }

    /// Calls `body` with each entry of a range, in order, until it answers false. Costs one descent, then the entries.
    public func scan(
        _ range: ScanRange = ScanRange(), _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) rethrows {
        var remaining = range.limit ?? .max
        guard remaining > 0 else { return }
        func count(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool {
            remaining -= 1
            return try body(key, value) && remaining > 0
        }
        try (range.from ?? []).withUnsafeBytes { from in
            try (range.to ?? []).withUnsafeBytes { to in
                let (from, to) = (range.from == nil ? nil : from, range.to == nil ? nil : to)
                if range.isReversed {
                    try state.tree.forEachReversed(from: from, to: to, count)
                } else {
                    try state.tree.forEach(from: from, to: to, count)
                }
            }
        }
    }

    /// The entries of a range, copied.
    public func entries(_ range: ScanRange = ScanRange()) -> [Entry] {
        var entries: [Entry] = []
        scan(range) { key, value in
            entries.append(Entry(key: Array(key), value: Array(value)))
            return true
        }
        return entries
    }

    /// A proof that the key is present or absent, for anyone who trusts `root`.
    ///
    /// - Throws: `invalidArgument` for a key of no byte or more than 1,024.
    public func proof(for key: some Bytes) throws(StoreError) -> Proof {
        let key = key.storedBytes
        try Limits.check(key: key)
        return key.withUnsafeBytes { state.tree.proof(for: $0) }
    }

    /// A proof of all that the state holds in [from, to); its size is that of the range. `nil` is no bound.
    public func rangeProof(from: [UInt8]?, to: [UInt8]?) -> RangeProof {
        state.tree.rangeProof(from: from, to: to)
    }
}
