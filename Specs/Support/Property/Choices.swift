package import SeededRandom

/// Where all of a case's chance comes from: a sequence of choices, each a whole number from 0 to a maximum.
///
/// A generator is a function that makes choices and builds a value of them. As all that it does follows from its
/// choices, a case is replayed by giving it the same ones, shrunk by giving it fewer and lower ones, and a law is tried
/// exhaustively by giving it each sequence in turn. So generators are written such that lower choices build simpler
/// values, and that any sequence builds one: past the end of what is replayed every choice is 0, and a choice beyond its
/// maximum is the maximum.
package struct Choices {
    /// The choices made so far.
    private(set) var made: [Choice] = []
    /// Where in `made` the parts are that can be left out as a whole, by their beginnings.
    private(set) var spans: [Range<Int>] = []
    private(set) var notes: [String] = []

    private var random: SeededGenerator?
    private let replayed: [UInt64]
    private let keepsNotes: Bool

    private static let countMax = 1 << 24

    /// Fresh choices that follow from the seed.
    package init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        replayed = []
        keepsNotes = false
    }

    /// The choices given, and then zeros.
    package init(replaying values: [UInt64], keepsNotes: Bool = false) {
        replayed = values
        self.keepsNotes = keepsNotes
    }

    /// Makes a choice from 0 to `max`, both included. What is fresh comes from `draw`, which may prefer some to others:
    /// only the result is recorded.
    package mutating func choose(
        upTo max: UInt64, fresh draw: (inout SeededGenerator) -> UInt64
    ) -> UInt64 {
        precondition(made.count < Self.countMax, "a generator does not end: it must end if all choices are 0")
        let value =
            if random != nil {
                draw(&random!)
            } else {
                made.count < replayed.count ? min(replayed[made.count], max) : 0
            }
        precondition(value <= max, "a choice is drawn beyond its maximum")
        made.append(Choice(value: value, max: max))
        return value
    }

    /// What `draw` gives where choices are fresh, and `nil` where they are replayed: to decide at once what is then
    /// recorded in several choices, such as a length.
    mutating func unrecorded<Value>(_ draw: (inout SeededGenerator) -> Value) -> Value? {
        random == nil ? nil : draw(&random!)
    }

    /// Marks the choices made within as a part that can be left out, such as an element of an array.
    package mutating func span<Value>(_ build: (inout Choices) throws -> Value) rethrows -> Value {
        let index = spans.count
        spans.append(made.count..<made.count)
        defer { spans[index] = spans[index].lowerBound..<made.count }
        return try build(&self)
    }

    /// Says something of the case, to be shown if the law fails, of much the last. Is evaluated only then.
    package mutating func note(_ text: @autoclosure () -> String) {
        if keepsNotes { notes.append(text()) }
    }
}

/// A whole number from 0 to `max`, both included.
struct Choice: Hashable {
    var value: UInt64
    var max: UInt64
}
