import CommitLog
import StateTree
import StrictJSON

/// A set of changes to many keys that take effect together or not at all, and what they were based on.
///
/// It reads from one view, taken when it first reads, and sees its own changes over it. Everything that it reads is
/// checked again when it commits. It belongs to the closure it was given to.
public final class Transaction {
    private let newestView: () -> StateView
    private(set) var view: StateView?
    private(set) var reads = ReadSet()
    private var own = OwnChanges()
    private var isOpen = true

    init(newestView: @escaping () -> StateView) { self.newestView = newestView }

    func end() { isOpen = false }

    /// Sets the value of a key.
    ///
    /// - Throws: `invalidArgument` for a key of no byte or more than 1,024, or a value of more than 16 MiB.
    @inlinable
    public func put(_ key: some Bytes, _ value: some Bytes) throws(StoreError) {
        try key.withStoredBytes { key throws(StoreError) in
            try value.withStoredBytes { value throws(StoreError) in try change(key, to: value) }
        }
    }

    /// Removes a key; it need not be there.
    @inlinable
    public func delete(_ key: some Bytes) throws(StoreError) {
        try key.withStoredBytes { key throws(StoreError) in try change(key, to: nil) }
    }

    /// The value of a key as this transaction sees it, or `nil`.
    public func get(_ key: some Bytes) throws(StoreError) -> [UInt8]? {
        let key = key.storedBytes
        let position = try key.withStoredBytes { key throws(StoreError) in
            try checkUse(of: key)
            return own.position(of: key)
        }
        if let position { return own.changes.value(position).map { Array($0) } }
        reads.add(key)
        return try View(state: reading()).get(key)
    }

    public subscript(key: some Bytes) -> [UInt8]? { get throws(StoreError) { try get(key) } }

    /// The entries of a range as this transaction sees them. What it has read of the range is checked at commit: all
    /// of it, or up to the last entry if a limit cut it short.
    public func entries(_ range: ScanRange = ScanRange()) throws -> [Entry] {
        guard isOpen else { throw Self.closed }
        let view = View(state: reading())
        let own = own.changes.copies.filter { Self.covers(range, $0.key) }.sorted { $0.key.precedes($1.key) }
        var merge = Merge(own: range.isReversed ? own.reversed() : own, isReversed: range.isReversed)
        let limit = max(range.limit ?? .max, 0)
        var all = range
        all.limit = nil
        if limit > 0 {
            try view.scan(all) { key, value in
                merge.add(Entry(key: Array(key), value: Array(value)))
                return merge.entries.count < limit
            }
        }
        if merge.entries.count < limit { merge.finish() }
        let entries = Array(merge.entries.prefix(limit))
        noteRead(range, entries, wasCut: entries.count == limit)
        return entries
    }

    /// What it asks of the store, with which it is over.
    ///
    /// - Throws: `tooLarge`.
    func proposal(isVoted: Bool) throws(StoreError) -> Proposal {
        end()
        return try Proposal(changes: own.takeAll(), reads: reads.items, view: view, isVoted: isVoted)
    }

    // MARK: - Inside

    private func reading() -> StateView {
        if let view { return view }
        let newest = newestView()
        view = newest
        return newest
    }

    @usableFromInline
    func change(_ key: UnsafeRawBufferPointer, to value: UnsafeRawBufferPointer?) throws(StoreError) {
        if let value { try Limits.check(value: value) }
        try checkUse(of: key)
        own.set(key, to: value)
    }

    private func checkUse(of key: UnsafeRawBufferPointer) throws(StoreError) {
        guard isOpen else { throw Self.closed }
        try Limits.check(key: key)
    }

    private static var closed: StoreError {
        StoreError(.closed, "The transaction is over", advice: "Use it only within the closure it is given to.")
    }

    private func noteRead(_ range: ScanRange, _ entries: [Entry], wasCut: Bool) {
        var (from, to) = (range.from ?? [], range.to)
        if wasCut {
            guard let last = entries.last else { return }
            if range.isReversed { from = last.key } else { to = last.key + [0] }
        }
        reads.add(from: from, to: to)
    }

    private static func covers(_ range: ScanRange, _ key: [UInt8]) -> Bool {
        (range.from.map { !key.precedes($0) } ?? true)
            && (range.to.map { key.precedes($0) } ?? true)
    }

    /// Entries of the view with the transaction's own changes laid over them.
    private struct Merge {
        var own: [Change]
        let isReversed: Bool
        var next = 0
        var entries: [Entry] = []

        init(own: [Change], isReversed: Bool) {
            self.own = own
            self.isReversed = isReversed
        }

        mutating func add(_ entry: Entry) {
            while next < own.count, precedes(own[next].key, entry.key) { takeOwn() }
            if next < own.count, own[next].key == entry.key { takeOwn() } else { entries.append(entry) }
        }

        mutating func finish() {
            while next < own.count { takeOwn() }
        }

        private mutating func takeOwn() {
            if let value = own[next].value { entries.append(Entry(key: own[next].key, value: value)) }
            next += 1
        }

        private func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
            isReversed ? b.precedes(a) : a.precedes(b)
        }
    }
}
