/// How much is measured.
struct Plan: Sendable {
    var keyCount = 1_000_000
    var rounds = 5
    /// How long a run of durable commits lasts; the others in proportion.
    var seconds = 4.0
    /// Enough for what is written ahead of use, a segment of zeros or a memtable, to count for what it is worth.
    var writtenCommitCount = 100_000
    var writtenRounds = 3
    var logBytes = 256 << 20

    static let full = Plan()
    static let quick = Plan(rounds: 3, seconds: 1, writtenCommitCount: 70_000, writtenRounds: 1)

    /// Long enough for what engines do in the background to count.
    var asyncSeconds: Double { seconds * 2.5 }
    var getSeconds: Double { seconds / 2 }
    var flatSeconds: Double { seconds }

    /// The sizes at which Rootfast is to be equally fast.
    var flatSizes: [Int] { [0, 1_000, 10_000, 100_000].filter { $0 < keyCount } + [keyCount] }
    /// The sizes at which its ancestor is measured beside it.
    var ancestorSizes: [Int] { [0, 1_000, 10_000, 100_000].filter { $0 <= keyCount } }
}
