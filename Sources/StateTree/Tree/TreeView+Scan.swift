extension TreeView {
    /// After so many keys a scan of what does not fit in memory lets go of the pages it has passed.
    private static let keysPerReading = 512

    /// Calls `body` with each pair of [from, to) in rising order until it answers false. `nil` is no bound.
    public func forEach(
        from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        var next = try forEachOfSome(from: from, to: to, body)
        while let key = next {
            next = try key.withUnsafeBytes { try forEachOfSome(from: $0, to: to, body) }
        }
    }

    /// Returns the key to go on from, or `nil` at the end.
    private func forEachOfSome(
        from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws -> [UInt8]? {
        try reading {
            var cursor = try Cursor(self)
            if let from { try cursor.move(to: from) }
            var left = isPaged ? Self.keysPerReading : Int.max
            while !cursor.isAtEnd {
                let key = cursor.key
                if let to, !KeyBits.precedes(key, to) { return nil }
                if left == 0 { return Array(key) }
                guard try body(key, cursor.value) else { return nil }
                try cursor.next()
                left -= 1
            }
            return nil
        }
    }

    /// The same in falling order.
    public func forEachReversed(
        from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws {
        var next = try forEachReversedOfSome(from: from, to: to, body)
        while let key = next {
            next = try key.withUnsafeBytes { try forEachReversedOfSome(from: from, to: $0, body) }
        }
    }

    /// Returns the key that what is left comes before, or `nil` at the end.
    private func forEachReversedOfSome(
        from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
    ) throws -> [UInt8]? {
        try reading {
            var cursor = try Cursor(self)
            if let to { try cursor.move(to: to) } else { cursor.moveToEnd() }
            var left = isPaged ? Self.keysPerReading : Int.max
            while try cursor.previous() {
                let key = cursor.key
                if let from, KeyBits.precedes(key, from) { return nil }
                guard try body(key, cursor.value) else { return nil }
                left -= 1
                if left == 0 { return Array(key) }
            }
            return nil
        }
    }

    /// Whether some key of [from, to) has another value, or is there in one view only. Costs the difference: pages
    /// that both views share are passed over.
    public func differs(
        from other: TreeView, from: UnsafeRawBufferPointer?, to: UnsafeRawBufferPointer?
    ) throws(PageError) -> Bool {
        precondition(pool === other.pool)
        if rootSlot == other.rootSlot { return false }
        return try reading { () throws(PageError) in
            var mine = try Cursor(self)
            var theirs = try Cursor(other)
            if let from {
                try mine.move(to: from)
                try theirs.move(to: from)
            }
            while true {
                let myKey = mine.isAtEnd ? nil : mine.key.nilIf(notBefore: to)
                let theirKey = theirs.isAtEnd ? nil : theirs.key.nilIf(notBefore: to)
                guard let myKey, let theirKey else { return myKey != nil || theirKey != nil }
                if try Cursor.skipShared(&mine, &theirs) { continue }
                guard KeyBits.equal(myKey, theirKey), mine.hasSameValue(as: theirs) else { return true }
                try mine.next()
                try theirs.next()
            }
        }
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func nilIf(notBefore end: UnsafeRawBufferPointer?) -> UnsafeRawBufferPointer? {
        guard let end, !KeyBits.precedes(self, end) else { return self }
        return nil
    }
}
