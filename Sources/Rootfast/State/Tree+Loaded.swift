import StateTree

extension Tree {
    /// Sets or deletes keys, each of which occurs once. Requires that all were loaded within the same `reading`.
    ///
    /// In an order in which none leads to a page that was not: first what is put, which parts ways that were gone; then what
    /// is deleted, if it is there. A key that is gone takes its node with it, and whoever ended at that key goes on to the
    /// other side of the node, where nobody may have been.
    ///
    /// - Parameters:
    ///   - areLookedUp: whether these, in this order, are the keys of the last `lookUp`.
    ///   - overwritten: is told what the keys held before. Requires that nothing is deleted, and no long value replaced.
    ///   - value: `nil` deletes.
    @inline(__always)
    func applyLoaded(
        _ count: Int, areLookedUp: Bool, noting overwritten: Overwritten? = nil,
        key: (Int) -> UnsafeRawBufferPointer, value: (Int) -> UnsafeRawBufferPointer?
    ) {
        do {
            var deleteCount = 0
            for i in 0..<count {
                guard let value = value(i) else {
                    deleteCount += 1
                    continue
                }
                try put(key(i), value, lookedUpAs: areLookedUp ? i : nil, noting: overwritten)
            }
            guard deleteCount > 0 else { return }
            let present = try (0..<count).filter { try value($0) == nil && (deleteCount == 1 || contains(key($0))) }
            for i in present { try delete(key(i), lookedUpAs: areLookedUp ? i : nil) }
        } catch {
            preconditionFailure("a page was not loaded: \(error)")
        }
    }
}
