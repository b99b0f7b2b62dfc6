import SeededRandom

/// Generators of plain values. Each shrinks towards what is named first.
extension Choices {
    /// From 0 to less than `count`, all equally often; shrinks to 0.
    package mutating func below(_ count: Int) -> Int {
        precondition(count > 0, "there is nothing to choose from")
        return Int(choose(upTo: UInt64(count - 1)) { .random(in: 0..<UInt64(count), using: &$0) })
    }

    /// All equally often; shrinks to the lower bound.
    package mutating func int(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.count)
    }

    /// From 0 to `max`, every order of magnitude equally often, and the ends more often than others; shrinks to 0.
    package mutating func magnitude(upTo max: UInt64) -> UInt64 {
        choose(upTo: max) { random in
            if random.oneIn(16) { return max - .random(in: 0...min(max, 1), using: &random) }
            let shift = UInt64.random(in: 0...UInt64(64 - max.leadingZeroBitCount), using: &random)
            return .random(in: 0...(max >> shift), using: &random)
        }
    }

    /// A count in the range, every order of magnitude equally often; shrinks to the lower bound.
    package mutating func count(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(magnitude(upTo: UInt64(range.upperBound - range.lowerBound)))
    }

    /// Shrinks to false.
    package mutating func bool() -> Bool { below(2) == 1 }

    /// True once in so many times; shrinks to false.
    package mutating func oneIn(_ count: Int) -> Bool {
        choose(upTo: 1) { $0.oneIn(count) ? 1 : 0 } == 1
    }

    /// One of the elements, all equally often; shrinks to the first.
    package mutating func pick<Elements: RandomAccessCollection>(_ elements: Elements) -> Elements.Element {
        elements[elements.index(elements.startIndex, offsetBy: below(elements.count))]
    }

    /// One of the elements, each in proportion to its weight; shrinks to the first.
    package mutating func pick<Element>(weighted elements: [(weight: Int, element: Element)]) -> Element {
        let total = elements.reduce(0) { $0 + $1.weight }
        let index = choose(upTo: UInt64(elements.count - 1)) { random in
            var rest = Int.random(in: 0..<total, using: &random)
            return UInt64(
                elements.firstIndex {
                    rest -= $0.weight
                    return rest < 0
                }!)
        }
        return elements[Int(index)].element
    }

    /// Any number of elements in the range, every order of magnitude equally often; shrinks to fewer and simpler ones.
    ///
    /// Whether another element follows is a choice of its own, beside the element's: an element is left out by
    /// leaving out a run of choices.
    package mutating func array<Element>(
        _ counts: ClosedRange<Int>, of element: (inout Choices) throws -> Element
    ) rethrows -> [Element] {
        let wanted = unrecorded { random in
            let span = counts.upperBound - counts.lowerBound
            let shift = Int.random(in: 0...(Int.bitWidth - span.leadingZeroBitCount), using: &random)
            return counts.lowerBound + Int.random(in: 0...(span >> shift), using: &random)
        }
        var elements: [Element] = []
        while elements.count < counts.upperBound {
            let next: Element? = try span { choices in
                let isThere = elements.count < (wanted ?? 0)
                let isForced = elements.count < counts.lowerBound
                guard isForced || choices.choose(upTo: 1, fresh: { _ in isThere ? 1 : 0 }) == 1 else { return nil }
                return try element(&choices)
            }
            guard let next else { break }
            elements.append(next)
        }
        return elements
    }

    /// The elements in any order; shrinks to the order given.
    package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for index in elements.indices.dropLast() {
            elements.swapAt(index, index + below(elements.count - index))
        }
        return elements
    }
}
