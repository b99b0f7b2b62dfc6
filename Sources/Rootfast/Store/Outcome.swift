public import Hashing

/// What became of a transaction.
public enum Outcome: Hashable, Sendable {
    /// It took effect as the commit of this sequence.
    case committed(sequence: UInt64)
    /// It was given up after its vote.
    case aborted
    /// It is prepared and waits for its decision.
    case inDoubt
    /// It was never seen, or longer ago than outcomes are kept.
    case unknown
}

extension Outcome: CustomStringConvertible {
    public var description: String {
        switch self {
        case .committed(let sequence): "committed at sequence \(sequence)"
        case .aborted: "aborted"
        case .inDoubt: "in doubt"
        case .unknown: "unknown"
        }
    }
}

/// What a commit gives back.
public struct Receipt: Hashable, Sendable {
    /// The number of the commit: 1, 2, 3, …
    public var sequence: UInt64
    /// The root of the state at `rootSequence`.
    public var root: Digest
    /// The sequence at which `root` holds. Under `.sync` that of the last commit that was made durable together with
    /// this one; otherwise the commit is not part of that root yet.
    public var rootSequence: UInt64
    /// The last commit that was durable when this receipt was given: less than `sequence` unless under `.sync`.
    public var durableSequence: UInt64

    public init(sequence: UInt64, root: Digest, rootSequence: UInt64, durableSequence: UInt64) {
        self.sequence = sequence
        self.root = root
        self.rootSequence = rootSequence
        self.durableSequence = durableSequence
    }
}

/// The two ways to decide a transaction in doubt.
public enum Decision: Hashable, Sendable {
    case commit
    case abort(reason: String)
}

/// A transaction that has voted and waits for its decision.
public struct InDoubtTransaction: Hashable, Sendable {
    public var id: String
    /// When it voted, in microseconds since 1970.
    public var timestamp: UInt64
    /// The keys it changes, in order.
    public var keys: [[UInt8]]
    /// How many keys and ranges it read and keeps locked.
    public var readCount: Int
}
