import SpecSupport
import Testing

/// The generators: what they reach, and what they build of zeros.
@Suite struct ChoicesTests {
    @Test func `without choices all is at its simplest`() {
        var choices = Choices(replaying: [])
        #expect(choices.int(in: 3...9) == 3 && choices.count(in: 2...8) == 2 && !choices.bool() && !choices.oneIn(1))
        #expect(choices.pick(["a", "b"]) == "a" && choices.pick(weighted: [(1, "a"), (5, "b")]) == "a")
        #expect(choices.array(0...5) { $0.bool() } == [] && choices.array(2...5) { $0.below(3) } == [0, 0])
        #expect(choices.shuffled([1, 2, 3]) == [1, 2, 3] && choices.bytes(1...4) == [0])
        #expect(choices.filler(0...9) == [] && choices.keys(1...3) == [[0]] && choices.magnitude(upTo: .max) == 0)
    }

    @Test func `a choice beyond its maximum is the maximum`() {
        var choices = Choices(replaying: [99, 2])
        #expect(choices.below(10) == 9)
        #expect(choices.below(10) == 2)
    }

    @Test func `weights are kept to, and every element comes`() {
        var counts: [String: Int] = [:]
        var choices = Choices(seed: 5)
        for _ in 0..<10_000 {
            counts[choices.pick(weighted: [(80, "often"), (19, "now and then"), (1, "rarely")]), default: 0] += 1
        }
        #expect((7_700...8_300).contains(counts["often"]!) && (1_700...2_100).contains(counts["now and then"]!))
        #expect((50...160).contains(counts["rarely"]!))
    }

    @Test func `magnitudes are of every order, ends included`() {
        var choices = Choices(seed: 6)
        for max in [0, 1, 9, 1 << 20, UInt64.max >> 1, .max] {
            let values = (0..<5_000).map { _ in choices.magnitude(upTo: max) }
            #expect(values.contains(0) && values.contains(max))
            let orders = Set(values.map { 64 - $0.leadingZeroBitCount })
            #expect(orders.count == 65 - max.leadingZeroBitCount)
        }
    }

    @Test func `arrays are of every length, short and long`() {
        var choices = Choices(seed: 7)
        let counts = (0..<3_000).map { _ in choices.array(1...300) { _ in () }.count }
        #expect(counts.min() == 1 && counts.max()! > 280 && counts.count { $0 < 10 } > 500)
        #expect(Set((0..<200).map { _ in choices.array(0...3) { _ in () }.count }) == [0, 1, 2, 3])
    }

    @Test func `keys rise, keep to their lengths, and begin as others do`() {
        var choices = Choices(seed: 8)
        var (prefixes, longest, oneBit) = (0, 0, 0)
        for _ in 0..<300 {
            let keys = choices.keys(0...50)
            for (a, b) in zip(keys, keys.dropFirst()) {
                #expect(a.lexicographicallyPrecedes(b))
                prefixes += b.starts(with: a) ? 1 : 0
                oneBit += a.count == b.count && zip(a, b).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount } == 1 ? 1 : 0
            }
            #expect(keys.allSatisfy { (1...1_024).contains($0.count) })
            longest += keys.count { $0.count == 1_024 }
        }
        #expect(prefixes > 300 && longest > 50 && oneBit > 20)
        let short = choices.keys(20...40, bytesMax: 2)
        #expect(short.allSatisfy { (1...2).contains($0.count) })
    }

    @Test func `counts come near the edges`() {
        var choices = Choices(seed: 9)
        let counts = (0..<2_000).map { _ in choices.countNear([768], in: 0...5_000) }
        for edge in 767...769 { #expect(counts.count { $0 == edge } > 50) }
        #expect(counts.contains(0) && counts.contains { $0 > 4_000 })
    }

    @Test func `a shuffle gives every order`() {
        var choices = Choices(seed: 10)
        #expect(Set((0..<500).map { _ in choices.shuffled([1, 2, 3, 4]) }).count == 24)
    }
}
