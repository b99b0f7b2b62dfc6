/// Comparison of byte strings as bytes, eight at a time: the order of keys, and nothing else in this project.
extension UnsafeRawBufferPointer {
    /// Whether both have the same bytes.
    package func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && commonPrefixCount(with: other) == count
    }

    /// Byte order; a proper prefix precedes what it is a prefix of.
    package func precedes(_ other: UnsafeRawBufferPointer) -> Bool {
        let common = commonPrefixCount(with: other)
        guard common < count && common < other.count else { return count < other.count }
        return self[common] < other[common]
    }

    /// How many bytes they begin with alike.
    package func commonPrefixCount(with other: UnsafeRawBufferPointer) -> Int {
        let shorter = Swift.min(count, other.count)
        guard shorter > 0, let a = baseAddress, let b = other.baseAddress else { return 0 }
        var offset = 0
        while offset &+ 8 <= shorter {
            let difference = Word.load(a, at: offset) ^ Word.load(b, at: offset)
            if difference != 0 { return offset &+ Word.firstIndex(difference) }
            offset &+= 8
        }
        let rest = shorter &- offset
        let difference = Word.load(a, at: offset, count: rest) ^ Word.load(b, at: offset, count: rest)
        return difference == 0 ? shorter : offset &+ Word.firstIndex(difference)
    }

    /// How many bytes it begins with that are 0.
    package var leadingZeroCount: Int {
        guard let base = baseAddress else { return 0 }
        var offset = 0
        while offset &+ 8 <= count, Word.load(base, at: offset) == 0 { offset &+= 8 }
        while offset < count, self[offset] == 0 { offset &+= 1 }
        return offset
    }
}
