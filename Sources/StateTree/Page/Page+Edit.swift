import Hashing

/// Edits in place. Each answers whether it could; when a page has no room, `PageImage` lays it out afresh.
extension Page {
    private var arraysEnd: Int { Self.headerBytes + Self.entryBytes * room }
    private var freeBytes: Int { heapStart - arraysEnd }

    /// Replaces the payload of the record at `entry`.
    func replacePayload(at entry: Int, with payload: Payload) -> Bool {
        let old = record(entry)
        let oldBytes = old.byteCount
        let newBytes = Self.recordHeaderBytes + old.keyCount + payload.byteCount
        if newBytes == oldBytes {
            payload.write(after: old.keyCount, in: old.base)
            return true
        }
        guard newBytes <= freeBytes else { return false }
        let target = allocateRecord(newBytes)
        target.copyMemory(from: old.base, byteCount: Self.recordHeaderBytes + old.keyCount)
        payload.write(after: old.keyCount, in: target)
        refs[entry] = UInt32(target - base)
        garbage += oldBytes
        return true
    }

    /// Inserts a leaf before entry `position`, told apart from its neighbour by `bit` at gap `gap`.
    func insert(_ key: UnsafeRawBufferPointer, _ payload: Payload, at position: Int, gap: Int, bit: Int) -> Bool {
        let bytes = Self.recordHeaderBytes + key.count + payload.byteCount
        guard count < room, bytes <= freeBytes else { return false }
        let target = allocateRecord(bytes)
        Payload.write(key: key, to: target)
        payload.write(after: key.count, in: target)

        refs.shiftUp(from: position, count: count)
        gaps.shiftUp(from: gap, count: count - 1)
        // A stale hash is never read: where all that would move are stale, they need not be touched.
        if !dirtyEntries.isSet(in: position..<count) { entryHashes.shiftUp(from: position, count: count) }
        if !dirtyGaps.isSet(in: gap..<(count - 1)) { gapHashes.shiftUp(from: gap, count: count - 1) }
        refs[position] = UInt32(target - base)
        gaps[gap] = Gap(bit: UInt16(bit), left: 0, right: 0)
        dirtyEntries = dirtyEntries.openingBit(position) | 1 << UInt64(position)
        dirtyGaps = dirtyGaps.openingBit(gap) | 1 << UInt64(gap)
        count += 1
        relink()
        return true
    }

    /// Removes an entry and the gap that was its parent. Requires `count >= 2`.
    func remove(at entry: Int) {
        precondition(count >= 2)
        let gap = parentGap(of: entry)
        garbage += recordBytes(entry)
        refs.shiftDown(onto: entry, count: count)
        entryHashes.shiftDown(onto: entry, count: count)
        gaps.shiftDown(onto: gap, count: count - 1)
        gapHashes.shiftDown(onto: gap, count: count - 1)
        dirtyEntries = dirtyEntries.closingBit(entry)
        dirtyGaps = dirtyGaps.closingBit(gap)
        count -= 1
        relink()
    }

    /// Of the gaps on both sides of an entry the deeper one, which has the greater bit.
    private func parentGap(of entry: Int) -> Int {
        if entry == 0 { return 0 }
        if entry == count - 1 { return entry - 1 }
        return gaps[entry - 1].bit > gaps[entry].bit ? entry - 1 : entry
    }

    private func allocateRecord(_ bytes: Int) -> UnsafeMutableRawPointer {
        heapStart -= bytes
        return base + heapStart
    }

    /// Rebuilds all links from the bits: the Cartesian tree of a sequence, by the classic stack.
    func relink() {
        let gaps = self.gaps
        let count = self.count
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.countMax) { stack in
            var depth = 0
            for i in 0..<(count - 1) {
                var below = Self.entryLink(i)
                while depth > 0, gaps[Int(stack[depth - 1])].bit > gaps[i].bit {
                    depth -= 1
                    below = stack[depth]
                }
                gaps[i].left = below
                gaps[i].right = Self.entryLink(i + 1)
                if depth > 0 { gaps[Int(stack[depth - 1])].right = UInt8(i) }
                stack[depth] = UInt8(i)
                depth += 1
            }
            rootLink = depth > 0 ? stack[0] : Self.entryLink(0)
        }
    }
}

/// What a record holds after its key: the value's bytes, or a reference to a long value.
enum Payload {
    case inline(UnsafeRawBufferPointer)
    case long(slot: UInt32, count: Int)

    var byteCount: Int {
        switch self {
        case .inline(let value): value.count
        case .long: Page.longReferenceBytes
        }
    }

    static func write(key: UnsafeRawBufferPointer, to record: UnsafeMutableRawPointer) {
        record.storeBytes(of: UInt16(key.count), as: UInt16.self)
        if let start = key.baseAddress {
            (record + Page.recordHeaderBytes).copyMemory(from: start, byteCount: key.count)
        }
    }

    func write(after keyCount: Int, in record: UnsafeMutableRawPointer) {
        let target = record + (Page.recordHeaderBytes + keyCount)
        switch self {
        case .inline(let value):
            record.storeBytes(of: UInt16(value.count), toByteOffset: 2, as: UInt16.self)
            if let start = value.baseAddress { target.copyMemory(from: start, byteCount: value.count) }
        case .long(let slot, let count):
            record.storeBytes(of: Page.longValueMark, toByteOffset: 2, as: UInt16.self)
            target.storeBytes(of: slot, as: UInt32.self)
            target.storeBytes(of: UInt32(count), toByteOffset: 4, as: UInt32.self)
        }
    }
}

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
    /// Makes room at `index` in an array of `count` elements.
    fileprivate func shiftUp(from index: Int, count: Int) {
        if count > index { (self + index + 1).update(from: self + index, count: count - index) }
    }

    /// Closes the place at `index` in an array of `count` elements.
    fileprivate func shiftDown(onto index: Int, count: Int) {
        if count > index + 1 { (self + index).update(from: self + index + 1, count: count - index - 1) }
    }
}

extension UInt64 {
    /// Whether all bits of a range are set.
    fileprivate func isSet(in range: Range<Int>) -> Bool {
        let bits: UInt64 = ((1 << UInt64(range.count)) - 1) << UInt64(range.lowerBound)
        return self & bits == bits
    }

    /// The bits from `index` on moved up by one, a 0 in their place.
    fileprivate func openingBit(_ index: Int) -> UInt64 {
        let below: UInt64 = (1 << UInt64(index)) - 1
        return (self & below) | ((self & ~below) << 1)
    }

    /// The bit at `index` taken out, those above it moved down by one.
    fileprivate func closingBit(_ index: Int) -> UInt64 {
        let below: UInt64 = (1 << UInt64(index)) - 1
        return (self & below) | ((self >> 1) & ~below)
    }
}
