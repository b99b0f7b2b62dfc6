import SeededRandom

/// Generators of byte strings: keys and values.
extension Choices {
    /// Any bytes; shrinks to fewer and to zeros.
    package mutating func bytes(_ counts: ClosedRange<Int>) -> [UInt8] {
        array(counts) { UInt8($0.below(256)) }
    }

    /// One byte many times, or many bytes of which only the seed is a choice: for long strings whose content
    /// matters little. `edges` are counts near which something changes.
    package mutating func filler(_ counts: ClosedRange<Int>, edges: [Int] = []) -> [UInt8] {
        let count = countNear(edges, in: counts)
        if oneIn(2) {
            var random = SeededGenerator(seed: UInt64(below(1 << 16)))
            return random.bytes(count)
        }
        return Array(repeating: UInt8(below(256)), count: count)
    }

    /// A count in the range: of any order of magnitude, or at most one beside an edge; shrinks to the lower bound.
    package mutating func countNear(_ edges: [Int], in range: ClosedRange<Int>) -> Int {
        guard !edges.isEmpty, oneIn(3) else { return count(in: range) }
        let near = pick(edges) + pick([0, -1, 1])
        return min(max(near, range.lowerBound), range.upperBound)
    }

    /// Keys in rising order, each once: plain ones, and such that begin as another does, go beyond it, end before
    /// it or differ from it in one bit.
    package mutating func keys(_ counts: ClosedRange<Int>, bytesMax: Int = 1_024) -> [[UInt8]] {
        var known: [[UInt8]] = []
        _ = array(counts) { choices in
            known.append(choices.key(like: known, bytesMax: bytesMax))
        }
        return Set(known).sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// A key of 1 to `bytesMax` bytes that has something in common with one of the keys given, or is a plain one.
    package mutating func key(like known: [[UInt8]], bytesMax: Int = 1_024) -> [UInt8] {
        guard !known.isEmpty, oneIn(2) else { return plainKey(bytesMax: bytesMax) }
        var key = pick(known)
        switch below(5) {
        case 0: key += bytes(1...3)
        case 1: key = Array(key.prefix(1 + below(key.count))) + bytes(0...3)
        case 2: key[below(key.count)] ^= 1 << UInt8(below(8))
        case 3: key.append(0)
        default: key += filler(1...max(1, bytesMax - key.count))
        }
        return Array(key.prefix(bytesMax))
    }

    private mutating func plainKey(bytesMax: Int) -> [UInt8] {
        switch below(8) {
        case 0...2: Array(bytes(1...3).prefix(bytesMax))
        case 3...5: Array("user:\(below(10_000))".utf8.prefix(bytesMax))
        case 6: bytes(1...min(bytesMax, 40))
        default: filler(1...bytesMax, edges: [bytesMax])
        }
    }
}
