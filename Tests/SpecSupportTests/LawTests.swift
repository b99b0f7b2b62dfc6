import Foundation
import SpecSupport
import Testing

/// The engine that the laws stand on: that it finds, shrinks, replays and counts.
@Suite struct LawTests {
    /// Without the environment, and silent.
    static var settings: LawSettings {
        var settings = LawSettings()
        settings.prints = false
        return settings
    }

    private static func failure(
        cases: Int = 1_000, settings: LawSettings = settings,
        _ law: @escaping (inout Choices, inout Reach) throws -> Void
    ) throws -> LawFailure {
        do throws(LawFailure) {
            try checkLaw("a law", cases: cases, settings: settings, law)
        } catch {
            return error
        }
        throw CocoaError(.featureUnsupported, userInfo: ["reason": "the law did not fail"])
    }

    @Test func `a law that holds is tried as often as asked, and the same way each time`() throws {
        func values(seed: UInt64) throws -> [Int] {
            var settings = Self.settings
            settings.seed = seed
            var values: [Int] = []
            try checkLaw("holds", cases: 50, settings: settings) { choices, _ in values.append(choices.below(1 << 40)) }
            return values
        }
        #expect(try values(seed: 1).count == 50)
        #expect(try Set(values(seed: 1)).count > 45)
        #expect(try values(seed: 1) == values(seed: 1))
        #expect(try values(seed: 1) != values(seed: 2))
    }

    @Test func `other laws are tried with other cases`() throws {
        func first(_ name: String) throws -> Int {
            var value = 0
            try checkLaw(name, cases: 1, settings: Self.settings) { choices, _ in value = choices.below(1 << 40) }
            return value
        }
        #expect(try first("this") != first("that"))
    }

    @Test func `a number shrinks to the least that fails`() throws {
        let failure = try Self.failure { choices, _ in
            let number = choices.int(in: -5...1_000_000)
            choices.note("number \(number)")
            try expect(number < 777, "too large")
        }
        #expect(failure.notes == ["number 777"])
        #expect(failure.reason.hasPrefix("too large, at SpecSupportTests/LawTests.swift:"))
    }

    @Test func `an array shrinks to the elements that make it fail`() throws {
        let failure = try Self.failure { choices, _ in
            let numbers = choices.array(0...400) { $0.below(1_000) }
            choices.note("\(numbers)")
            try expect(numbers.filter { $0 >= 100 }.count < 3)
        }
        #expect(failure.notes == ["[100, 100, 100]"])
    }

    @Test func `nested parts are left out as a whole`() throws {
        let failure = try Self.failure { choices, _ in
            let words = choices.array(1...60) { $0.bytes(1...12) }
            choices.note("\(words)")
            try expect(!words.contains { $0.count > 2 && $0.contains(200) })
        }
        #expect(failure.notes == ["[[0, 0, 200]]"])
    }

    @Test func `thousands of elements are left out in a few runs`() throws {
        var settings = Self.settings
        settings.replay = ("a law", "choices " + String(repeating: "1 5 ", count: 3_000) + "1 950")
        settings.shrinkRunCountMax = 200
        let failure = try Self.failure(settings: settings) { choices, _ in
            let numbers = choices.array(0...5_000) { $0.below(1_000) }
            choices.note("\(numbers)")
            try expect(numbers.allSatisfy { $0 < 900 })
        }
        #expect(failure.notes == ["[900]"])
    }

    @Test func `a pair that depends on each other shrinks`() throws {
        let failure = try Self.failure { choices, _ in
            let count = 1 + choices.below(1_000)
            let index = choices.below(count)
            choices.note("\(count), \(index)")
            try expect(index < 10)
        }
        #expect(failure.notes == ["11, 10"])
    }

    @Test func `what is shrunk to fails at the same place as what was met`() throws {
        let failure = try Self.failure { choices, _ in
            let number = choices.below(1_000)
            try expect(number != 0, "another failure")
            try expect(number < 500, "the failure met")
        }
        #expect(failure.reason.hasPrefix("the failure met"))
    }

    @Test func `shrinking is the same each time, and ends where it is told to`() throws {
        var runCount = 0
        let law: (inout Choices, inout Reach) throws -> Void = { choices, _ in
            runCount += 1
            let numbers = choices.array(0...5_000) { $0.below(1_000_000) }
            try expect(numbers.reduce(0, +) < 1_000_000)
        }
        #expect(try "\(Self.failure(law))" == "\(Self.failure(law))")
        var settings = Self.settings
        settings.shrinkRunCountMax = 40
        runCount = 0
        let failure = try Self.failure(settings: settings, law)
        // The cases until one fails, 40 to shrink it, one to tell of it.
        let caseCount = try #require(Int("\(failure)".split(separator: "case ")[1].prefix { $0.isNumber }))
        #expect(runCount == caseCount + 40 + 1)
    }

    @Test func `a failure is replayed from its choices, and from its seed`() throws {
        let law: (inout Choices, inout Reach) throws -> Void = { choices, _ in
            let numbers = choices.array(0...50) { $0.below(1_000) }
            choices.note("\(numbers)")
            try expect(!numbers.contains { $0 > 990 }, "\(numbers)")
        }
        let failure = try Self.failure(law)
        let replays = "\(failure)".split(separator: "\n").compactMap {
            $0.split(separator: "ROOTFAST_REPLAY=").dropFirst().first
        }
        #expect(replays == ["'a law: choices 1 991'", replays.last!] && replays.last!.hasPrefix("'a law: seed "))
        for replay in replays {
            let settings = LawSettings(environment: ["ROOTFAST_REPLAY": String(replay.dropFirst().dropLast())])
            let again = try Self.failure(cases: 0, settings: settings, law)
            #expect(again.notes == failure.notes && again.reason == failure.reason)
        }
    }

    @Test func `a replay concerns the law that it names`() throws {
        var settings = LawSettings(environment: ["ROOTFAST_REPLAY": "torn: tail: choices 7 9"])
        settings.prints = false
        var met: [Int] = []
        try checkLaw("torn: tail", cases: 10, reaching: ["much": 1], settings: settings) { choices, _ in
            met.append(choices.below(100))
        }
        #expect(met == [7])
        let other = try checkLaw("another", cases: 10, settings: settings) { _, reach in reach.count("case") }
        #expect(other["case"] == 10)
    }

    @Test func `failures are noted, and cases kept are tried first`() throws {
        let folder = TemporaryFolder()
        var settings = Self.settings
        settings.failuresFolder = folder.path + "/failures"
        let law: (inout Choices, inout Reach) throws -> Void = { choices, _ in
            try expect(choices.below(100_000) < 40_000, "high")
        }
        _ = try Self.failure(settings: settings, law)
        let file = folder.path + "/failures/a-law.txt"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.hasPrefix("# The law \"a law\" fails: high") && text.hasSuffix("\nchoices 40000\n"))
        settings = Self.settings
        settings.savedFolder = folder.path + "/failures"
        #expect(try "\(Self.failure(cases: 0, settings: settings, law))".contains("case 1, of 1 choices"))
    }

    @Test func `the number of cases is set or multiplied by the environment`() throws {
        func count(_ cases: String) throws -> Int {
            var settings = LawSettings(environment: ["ROOTFAST_CASES": cases])
            settings.prints = false
            return try checkLaw("counted", cases: 20, settings: settings) { _, reach in reach.count("case") }["case"]
        }
        #expect(try count("x3") == 60)
        #expect(try count("x0.12") == 3)
        #expect(try count("7") == 7)
    }

    @Test func `how often a failure is made simpler is bounded by the environment`() throws {
        var settings = LawSettings(environment: ["ROOTFAST_SHRINK": "0"])
        settings.prints = false
        let failure = #expect(throws: LawFailure.self) {
            try checkLaw("not shrunk", cases: 50, settings: settings) { choices, _ in
                try expect(choices.below(1_000) < 3, "high")
            }
        }
        #expect("\(failure!)".contains("in 0 runs"))
    }

    @Test func `a law that does not reach what it claims to fails`() throws {
        let law: (inout Choices, inout Reach) throws -> Void = { choices, reach in
            if choices.bool() { reach.count("torn tail") }
        }
        try checkLaw("reaches", cases: 100, reaching: ["torn tail": 30], settings: Self.settings, law)
        let failure = #expect(throws: LawFailure.self) {
            try checkLaw("reaches", cases: 100, reaching: ["torn tail": 90, "vote": 1], settings: Self.settings, law)
        }
        #expect(failure!.reason.hasPrefix("it did not reach what it claims to: \"torn tail\" "))
        #expect(failure!.reason.hasSuffix("of 90, \"vote\" 0 times of 1"))
        // Chance differs from seed to seed: of another than the usual one less is asked, but not nothing.
        var other = Self.settings
        other.seed = 77
        try checkLaw("reaches", cases: 100, reaching: ["torn tail": 90], settings: other, law)
        #expect(throws: LawFailure.self) {
            try checkLaw("reaches", cases: 100, reaching: ["vote": 1], settings: other, law)
        }
        var fewer = Self.settings
        fewer.caseCount = .exactly(3)
        try checkLaw("reaches", cases: 100, reaching: ["torn tail": 90], settings: fewer, law)
        var reach = Reach()
        reach.count("vote", 2)
        try reach.require(reached: "vote", atLeast: 2)
        #expect(throws: UnmetExpectation.self) { try reach.require(reached: "vote", atLeast: 3) }
    }
}
