import Hashing

extension TreeView {
    /// Calls `body` with each key whose value differs between two views, which may be of different trees, in rising
    /// order: the key, its value in `earlier` and in this one, `nil` where it is absent. Stops when it answers false.
    ///
    /// Subtrees with equal hashes are passed over, so that the cost is that of the difference. Requires hashed views.
    public func forEachDifference(
        from earlier: TreeView,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?, UnsafeRawBufferPointer?) throws -> Bool
    ) throws {
        precondition(isHashed && earlier.isHashed, "only hashed views can be compared")
        try earlier.reading {
            try reading {
                var walk = DifferenceWalk(Side(earlier), Side(self))
                while let step = try walk.next() { guard try body(step.key, step.old, step.new) else { return } }
            }
        }
    }

    /// A node of a view's tree. Until it is `opened`, all that is known of it is where it hangs, and its hash.
    fileprivate struct Node {
        var page: Page
        var link: UInt8
        var hash: Digest
        /// The first bit at which the keys below differ; greater than any for a leaf.
        var bit = -1
        /// The key of its first leaf.
        var firstKey = UnsafeRawBufferPointer(start: nil, count: 0)
    }

    /// One of the two views.
    fileprivate struct Side {
        let view: TreeView

        init(_ view: TreeView) { self.view = view }

        var root: Node? {
            guard view.rootSlot != 0 else { return nil }
            let page = view.pool.page(view.rootSlot)
            return Node(page: page, link: page.rootLink, hash: view.treeDigest!)
        }

        /// Goes to where a node is, a child page if need be, and finds its bit and its first key.
        func opened(_ node: Node) throws(PageError) -> Node {
            guard node.bit < 0 else { return node }
            var node = node
            while Page.isEntry(node.link), node.page.isChild(Page.entry(node.link)) {
                node.page = try view.pool.child(node.page, Page.entry(node.link))
                node.link = node.page.rootLink
            }
            node.bit = Page.isEntry(node.link) ? Int.max : Int(node.page.gaps[Int(node.link)].bit)
            if node.firstKey.isEmpty { node.firstKey = try firstKey(node.page, node.link) }
            return node
        }

        private func firstKey(_ page: Page, _ link: UInt8) throws(PageError) -> UnsafeRawBufferPointer {
            var page = page
            var entry = page.run(below: link).lowerBound
            while page.isChild(entry) {
                page = try view.pool.child(page, entry)
                entry = 0
            }
            return page.record(entry).key
        }

        func left(of node: Node) -> Node {
            let link = node.page.gaps[Int(node.link)].left
            return Node(page: node.page, link: link, hash: node.page.hash(below: link).pointee, firstKey: node.firstKey)
        }

        func right(of node: Node) -> Node {
            let link = node.page.gaps[Int(node.link)].right
            return Node(page: node.page, link: link, hash: node.page.hash(below: link).pointee)
        }

        func value(of leaf: Node) throws(PageError) -> UnsafeRawBufferPointer {
            try view.pool.value(of: leaf.page.record(Page.entry(leaf.link)))
        }
    }

    /// Both trees side by side, as binary trees: they are functions of their keys, so that equal parts stand at equal
    /// places, whatever the pages are.
    fileprivate struct DifferenceWalk {
        private let old: Side
        private let new: Side
        private var waiting: [(old: Node?, new: Node?)]

        typealias Step = (key: UnsafeRawBufferPointer, old: UnsafeRawBufferPointer?, new: UnsafeRawBufferPointer?)

        init(_ old: Side, _ new: Side) {
            self.old = old
            self.new = new
            waiting = [(old.root, new.root)]
        }

        mutating func next() throws(PageError) -> Step? {
            while let (a, b) = waiting.popLast() {
                if let a, let b, a.hash == b.hash { continue }
                let a = try a.map { (node) throws(PageError) in try old.opened(node) }
                let b = try b.map { (node) throws(PageError) in try new.opened(node) }
                switch (a, b) {
                case (let a?, let b?):
                    if a.bit == .max, b.bit == .max, KeyBits.equal(a.firstKey, b.firstKey) {
                        return (a.firstKey, try old.value(of: a), try new.value(of: b))
                    }
                    part(a, b)
                case (let a?, nil):
                    if a.bit == .max { return (a.firstKey, try old.value(of: a), nil) }
                    waiting.append((old.right(of: a), nil))
                    waiting.append((old.left(of: a), nil))
                case (nil, let b?):
                    if b.bit == .max { return (b.firstKey, nil, try new.value(of: b)) }
                    waiting.append((nil, new.right(of: b)))
                    waiting.append((nil, new.left(of: b)))
                case (nil, nil): continue
                }
            }
            return nil
        }

        /// Takes two different subtrees apart, the later part first, at the first bit at which any two keys of both
        /// differ.
        private mutating func part(_ a: Node, _ b: Node) {
            let apart = KeyBits.firstDifference(a.firstKey, b.firstKey) ?? .max
            let top = min(a.bit, b.bit)
            if apart < top {
                let isOldFirst = KeyBits.bit(apart, of: a.firstKey) == 0
                waiting.append(isOldFirst ? (nil, b) : (a, nil))
                waiting.append(isOldFirst ? (a, nil) : (nil, b))
                return
            }
            // A subtree that does not part at this bit lies on one side of it.
            let aIsRight = a.bit > top && KeyBits.bit(top, of: a.firstKey) == 1
            let bIsRight = b.bit > top && KeyBits.bit(top, of: b.firstKey) == 1
            waiting.append(
                (
                    a.bit == top ? old.right(of: a) : aIsRight ? a : nil,
                    b.bit == top ? new.right(of: b) : bIsRight ? b : nil
                ))
            waiting.append(
                (
                    a.bit == top ? old.left(of: a) : aIsRight ? nil : a,
                    b.bit == top ? new.left(of: b) : bIsRight ? nil : b
                ))
        }
    }
}

extension Page {
    fileprivate static func entry(_ link: UInt8) -> Int { Int(link & ~entryLinkFlag) }
}
