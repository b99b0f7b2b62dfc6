import Hashing

/// A place between the first and the last key of a view, movable both ways. Holds its view.
///
/// Costs one descent to place, and a few nanoseconds a step.
public struct Cursor {
    private let view: TreeView
    /// The pages down to the current entry, root first; empty at the end (and at the start of an empty view).
    private var stack: [(page: Page, index: Int)] = []

    /// A cursor at the first key.
    public init(_ view: TreeView) throws(PageError) {
        self.view = view
        stack.reserveCapacity(8)
        try moveToFirst()
    }

    public var isAtEnd: Bool { stack.isEmpty }

    /// The current key. Requires that the cursor is not at the end; valid while the view is.
    public var key: UnsafeRawBufferPointer { record.key }
    public var value: UnsafeRawBufferPointer { get throws(PageError) { try view.pool.value(of: record) } }

    /// Long values are compared by their hashes, so that they need not be in memory.
    func hasSameValue(as other: Cursor) -> Bool {
        let (mine, theirs) = (record, other.record)
        guard !mine.isLong, !theirs.isLong else { return mine.isLong == theirs.isLong && valueHash == other.valueHash }
        return KeyBits.equal(mine.inlineValue, theirs.inlineValue)
    }

    var valueHash: Digest { view.pool.valueHash(of: record) }

    private var record: Record {
        guard let top = stack.last else { preconditionFailure("the cursor is at the end") }
        return top.page.record(top.index)
    }

    public mutating func moveToFirst() throws(PageError) {
        stack.removeAll(keepingCapacity: true)
        guard view.rootSlot != 0 else { return }
        stack.append((view.pool.page(view.rootSlot), 0))
        try descendFirst()
    }

    public mutating func moveToLast() throws(PageError) {
        stack.removeAll(keepingCapacity: true)
        guard view.rootSlot != 0 else { return }
        let root = view.pool.page(view.rootSlot)
        stack.append((root, root.count - 1))
        try descendLast()
    }

    /// Moves to the first key that is not before `key`, or to the end.
    public mutating func move(to key: UnsafeRawBufferPointer) throws(PageError) {
        stack.removeAll(keepingCapacity: true)
        guard view.rootSlot != 0 else { return }
        var page = view.pool.page(view.rootSlot)
        while true {
            let entry = page.entry(for: key)
            stack.append((page, entry))
            guard page.isChild(entry) else { break }
            page = try view.pool.child(page, entry)
        }
        guard let bit = KeyBits.firstDifference(record.key, key) else { return }
        try settle(beside: bit, of: key)
    }

    /// Where a key that is not there would stand: beside the subtree whose keys all differ from it first at `bit`.
    private mutating func settle(beside bit: Int, of key: UnsafeRawBufferPointer) throws(PageError) {
        let level = stack.indices.dropLast().first { stack[$0].page.exitBit(for: key) > bit } ?? stack.count - 1
        stack.removeLast(stack.count - 1 - level)
        let page = stack[level].page
        let run = page.run(above: bit, for: key)
        if KeyBits.bit(bit, of: key) == 0 {
            stack[level].index = run.lowerBound
            try descendFirst()
        } else {
            stack[level].index = run.upperBound
            try leavePage()
        }
    }

    /// Moves to the next key, or to the end. Requires that the cursor is not at the end.
    @inline(__always)
    public mutating func next() throws(PageError) {
        let top = stack.count - 1
        let following = stack[top].index + 1
        if following < stack[top].page.count {
            stack[top].index = following
            if stack[top].page.isChild(following) { try descendFirst() }
        } else {
            try leavePage()
        }
    }

    /// Moves to the key before; from the end, to the last key. False, and at the end, if there is none.
    @discardableResult
    public mutating func previous() throws(PageError) -> Bool {
        if stack.isEmpty {
            try moveToLast()
            return !stack.isEmpty
        }
        while let top = stack.last, top.index == 0 { stack.removeLast() }
        guard !stack.isEmpty else { return false }
        stack[stack.count - 1].index -= 1
        try descendLast()
        return true
    }

    private mutating func leavePage() throws(PageError) {
        while let top = stack.last, top.index + 1 >= top.page.count { stack.removeLast() }
        guard !stack.isEmpty else { return }
        stack[stack.count - 1].index += 1
        try descendFirst()
    }

    private mutating func descendFirst() throws(PageError) {
        while let top = stack.last, top.page.isChild(top.index) {
            stack.append((try view.pool.child(top.page, top.index), 0))
        }
    }

    private mutating func descendLast() throws(PageError) {
        while let top = stack.last, top.page.isChild(top.index) {
            let child = try view.pool.child(top.page, top.index)
            stack.append((child, child.count - 1))
        }
    }

    /// Moves both cursors behind the largest page that both stand in, if there is one: all that follows in it is
    /// the same in both views.
    static func skipShared(_ a: inout Cursor, _ b: inout Cursor) throws(PageError) -> Bool {
        for i in a.stack.indices {
            guard let j = b.stack.indices.first(where: { b.stack[$0].page.base == a.stack[i].page.base }),
                a.stack[i].index == b.stack[j].index
            else { continue }
            try a.leave(level: i)
            try b.leave(level: j)
            return true
        }
        return false
    }

    private mutating func leave(level: Int) throws(PageError) {
        stack.removeLast(stack.count - 1 - level)
        stack[level].index = stack[level].page.count - 1
        try leavePage()
    }
}

extension Cursor {
    /// Moves behind the last key.
    mutating func moveToEnd() { stack.removeAll(keepingCapacity: true) }
}
