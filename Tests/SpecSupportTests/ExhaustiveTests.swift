import SpecSupport
import Testing

@Suite struct ExhaustiveTests {
    private static let settings = LawTests.settings

    @Test func `every case is tried once, in order`() throws {
        var met: [[Int]] = []
        let (count, isAll, _) = try checkEveryCase("all", casesMax: 1_000, settings: Self.settings) { choices, _ in
            met.append([choices.below(3), choices.bool() ? 1 : 0])
        }
        #expect(count == 6 && isAll)
        #expect(met == [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
    }

    @Test func `cases of different lengths are all tried`() throws {
        var met: Set<[UInt8]> = []
        let (count, isAll, _) = try checkEveryCase("strings", casesMax: 1_000, settings: Self.settings) { choices, _ in
            met.insert(choices.array(0...3) { choices in UInt8(choices.below(4)) })
        }
        #expect(count == 1 + 4 + 16 + 64 && isAll)
        #expect(met.count == count)
    }

    @Test func `what is weighted or skewed for random cases is tried evenly`() throws {
        var met: Set<[Int]> = []
        let (count, isAll, _) = try checkEveryCase("even", casesMax: 1_000, settings: Self.settings) { choices, _ in
            met.insert([
                choices.oneIn(1_000) ? 1 : 0, choices.pick(weighted: [(1, 0), (999, 1)]), choices.count(in: 2...6),
            ])
        }
        #expect(count == 20 && met.count == 20 && isAll)
    }

    @Test func `it stops at the number allowed and says so`() throws {
        let (count, isAll, reach) = try checkEveryCase("many", casesMax: 50, settings: Self.settings) {
            choices, reach in
            if choices.below(100) == 49 { reach.count("the last") }
        }
        #expect(count == 50 && !isAll && reach["the last"] == 1)
        #expect(
            try checkEveryCase("just", casesMax: 50, settings: Self.settings) { choices, _ in _ = choices.below(50) }
                .isAll)
    }

    @Test func `the first that fails is shrunk, and what is not reached is told`() throws {
        let failure = #expect(throws: LawFailure.self) {
            try checkEveryCase("fails", casesMax: 10_000, settings: Self.settings) { choices, _ in
                let (a, b) = (choices.below(50), choices.below(50))
                choices.note("\(a) \(b)")
                try expect(a + b < 70, "the sum")
            }
        }
        #expect(failure!.notes == ["21 49"])
        #expect("\(failure!)".contains("replay: ROOTFAST_REPLAY='fails: choices 21 49'"))
        #expect(throws: LawFailure.self) {
            try checkEveryCase("misses", casesMax: 10, reaching: ["x": 1], settings: Self.settings) { _, _ in }
        }
    }
}
