/// A place between the first and the last key of a view, movable both ways. Holds its view.
///
/// Costs one descent to place, and a few nanoseconds a step.
public struct Cursor {
    private let view: TreeView
    /// The pages down to the current entry, root first; empty at the end (and at the start of an empty view).
    private var stack: [(page: Page, index: Int)] = []

    /// A cursor at the first key.
    public init(_ view: TreeView) {
        self.view = view
        stack.reserveCapacity(8)
        moveToFirst()
    }

    public var isAtEnd: Bool { stack.isEmpty }

    /// The current key. Requires that the cursor is not at the end; valid while the view is.
    public var key: UnsafeRawBufferPointer { record.key }
    public var value: UnsafeRawBufferPointer { view.pool.value(of: record) }

    private var record: Record {
        guard let top = stack.last else { preconditionFailure("the cursor is at the end") }
        return top.page.record(top.index)
    }

    public mutating func moveToFirst() {
        stack.removeAll(keepingCapacity: true)
        guard view.rootSlot != 0 else { return }
        stack.append((view.pool.page(view.rootSlot), 0))
        descendFirst()
    }

    public mutating func moveToLast() {
        stack.removeAll(keepingCapacity: true)
        guard view.rootSlot != 0 else { return }
        let root = view.pool.page(view.rootSlot)
        stack.append((root, root.count - 1))
        descendLast()
    }

    /// Moves to the first key that is not before `key`, or to the end.
    public mutating func move(to key: UnsafeRawBufferPointer) {
        stack.removeAll(keepingCapacity: true)
        guard view.rootSlot != 0 else { return }
        var page = view.pool.page(view.rootSlot)
        while true {
            let entry = page.entry(for: key)
            stack.append((page, entry))
            guard page.isChild(entry) else { break }
            page = view.pool.page(page.child(entry))
        }
        guard let bit = KeyBits.firstDifference(record.key, key) else { return }
        settle(beside: bit, of: key)
    }

    /// Where a key that is not there would stand: beside the subtree whose keys all differ from it first at `bit`.
    private mutating func settle(beside bit: Int, of key: UnsafeRawBufferPointer) {
        let level = stack.indices.dropLast().first { stack[$0].page.exitBit(for: key) > bit } ?? stack.count - 1
        stack.removeLast(stack.count - 1 - level)
        let page = stack[level].page
        let run = page.run(above: bit, for: key)
        if KeyBits.bit(bit, of: key) == 0 {
            stack[level].index = run.lowerBound
            descendFirst()
        } else {
            stack[level].index = run.upperBound
            leavePage()
        }
    }

    /// Moves to the next key, or to the end. Requires that the cursor is not at the end.
    @inline(__always)
    public mutating func next() {
        let top = stack.count - 1
        let following = stack[top].index + 1
        if following < stack[top].page.count {
            stack[top].index = following
            if stack[top].page.isChild(following) { descendFirst() }
        } else {
            leavePage()
        }
    }

    /// Moves to the key before; from the end, to the last key. False, and at the end, if there is none.
    @discardableResult
    public mutating func previous() -> Bool {
        if stack.isEmpty {
            moveToLast()
            return !stack.isEmpty
        }
        while let top = stack.last, top.index == 0 { stack.removeLast() }
        guard !stack.isEmpty else { return false }
        stack[stack.count - 1].index -= 1
        descendLast()
        return true
    }

    private mutating func leavePage() {
        while let top = stack.last, top.index + 1 >= top.page.count { stack.removeLast() }
        guard !stack.isEmpty else { return }
        stack[stack.count - 1].index += 1
        descendFirst()
    }

    private mutating func descendFirst() {
        while let top = stack.last, top.page.isChild(top.index) {
            stack.append((view.pool.page(top.page.child(top.index)), 0))
        }
    }

    private mutating func descendLast() {
        while let top = stack.last, top.page.isChild(top.index) {
            let child = view.pool.page(top.page.child(top.index))
            stack.append((child, child.count - 1))
        }
    }

    /// Moves both cursors behind the largest page that both stand in, if there is one: all that follows in it is
    /// the same in both views.
    static func skipShared(_ a: inout Cursor, _ b: inout Cursor) -> Bool {
        for i in a.stack.indices {
            guard let j = b.stack.indices.first(where: { b.stack[$0].page.base == a.stack[i].page.base }),
                a.stack[i].index == b.stack[j].index
            else { continue }
            a.leave(level: i)
            b.leave(level: j)
            return true
        }
        return false
    }

    private mutating func leave(level: Int) {
        stack.removeLast(stack.count - 1 - level)
        stack[level].index = stack[level].page.count - 1
        leavePage()
    }
}

extension TreeView {
    /// Calls `body` with each pair of [from, to) in rising order until it answers false. `nil` is no bound.
    public func forEach(
        from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) rethrows {
        var cursor = Cursor(self)
        if let from { cursor.move(to: from) }
        while !cursor.isAtEnd {
            let key = cursor.key
            if let to, !KeyBits.precedes(key, to) { return }
            guard try body(key, cursor.value) else { return }
            cursor.next()
        }
    }

    /// The same in falling order.
    public func forEachReversed(
        from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) rethrows {
        var cursor = Cursor(self)
        if let to { cursor.move(to: to) } else { cursor.moveToEnd() }
        while cursor.previous() {
            let key = cursor.key
            if let from, KeyBits.precedes(key, from) { return }
            guard try body(key, cursor.value) else { return }
        }
    }

    /// Whether some key of [from, to) has another value, or is there in one view only. Costs the difference: pages
    /// that both views share are passed over.
    public func differs(from other: TreeView, from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?) -> Bool {
        precondition(pool === other.pool)
        if rootSlot == other.rootSlot { return false }
        var mine = Cursor(self)
        var theirs = Cursor(other)
        if let from {
            mine.move(to: from)
            theirs.move(to: from)
        }
        while true {
            let myKey = mine.isAtEnd ? nil : mine.key.nilIf(notBefore: to)
            let theirKey = theirs.isAtEnd ? nil : theirs.key.nilIf(notBefore: to)
            guard let myKey, let theirKey else { return myKey != nil || theirKey != nil }
            if Cursor.skipShared(&mine, &theirs) { continue }
            guard KeyBits.equal(myKey, theirKey), KeyBits.equal(mine.value, theirs.value) else { return true }
            mine.next()
            theirs.next()
        }
    }
}

extension Cursor {
    fileprivate mutating func moveToEnd() { stack.removeAll(keepingCapacity: true) }
}

extension UnsafeRawBufferPointer {
    fileprivate func nilIf(notBefore end: UnsafeRawBufferPointer?) -> UnsafeRawBufferPointer? {
        guard let end, !KeyBits.precedes(self, end) else { return self }
        return nil
    }
}
