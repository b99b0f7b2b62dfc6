/// How often a law came to what it claims to try. A law that never meets a torn tail says nothing of torn tails.
package struct Reach: Sendable {
    package private(set) var counts: [String: Int] = [:]

    package init() {}

    package mutating func count(_ what: String, _ times: Int = 1) { counts[what, default: 0] += times }

    /// How often it was reached; 0 if never.
    package subscript(what: String) -> Int { counts[what] ?? 0 }

    /// Fails unless it was reached so many times.
    package func require(
        reached what: String, atLeast times: Int = 1, file: String = #fileID, line: Int = #line
    ) throws(UnmetExpectation) {
        try expect(self[what] >= times, "\(what) was reached \(self[what]) times of \(times)", file: file, line: line)
    }

    /// Adds what was reached elsewhere.
    package mutating func add(_ other: Reach) { counts.merge(other.counts, uniquingKeysWith: +) }

    /// `torn tail 37 | vote 5`: what was reached, in the order of names.
    package var summary: String {
        counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: " | ")
    }

    /// Prints one line, which can be added up over many runs.
    package func report(_ law: String, _ how: String) {
        print("law: \(law) | \(how)\(counts.isEmpty ? "" : " | \(summary)")")
    }
}
