import Hashing
import SQLite

/// An outcome and its number in the order of decisions.
struct NumberedOutcome {
    var number: UInt64
    var id: [UInt8]
    var outcome: Outcome

    /// The hash that the sum of outcomes is made of: of the id, a zero byte, and the sequence in decimal, or `aborted`.
    var hash: Digest { Self.hash(id: id, sequence: outcome.sequence) }

    static func hash(id: [UInt8], sequence: UInt64?) -> Digest {
        BLAKE2b.hash(id + [0] + Array((sequence.map { "\($0)" } ?? "aborted").utf8))
    }
}

extension Outcome {
    fileprivate var sequence: UInt64? {
        if case .committed(let sequence) = self { sequence } else { nil }
    }
}

extension StateFile {
    /// The outcome of a transaction among those whose number is greater than `bound` and at most `end`.
    func outcome(of id: [UInt8], after bound: UInt64, through end: UInt64) throws(SQLiteError) -> Outcome? {
        try readers.read { connection throws(SQLiteError) in
            try connection.row(
                "SELECT sequence FROM outcomes WHERE tx_id = ? AND number > ? AND number <= ? ORDER BY number DESC",
                .text(String(decoding: id, as: UTF8.self)), .number(bound), .number(end)
            ) { $0.isNull(0) ? .aborted : .committed(sequence: $0.number(0)) }
        }
    }

    /// The outcomes whose number is greater than `bound` and at most `end`, in order.
    func outcomes(after bound: UInt64, through end: UInt64) throws(SQLiteError) -> [NumberedOutcome] {
        try readers.read { connection throws(SQLiteError) in
            try connection.rows(
                "SELECT number, tx_id, sequence FROM outcomes WHERE number > ? AND number <= ? ORDER BY number",
                .number(bound), .number(end)
            ) {
                NumberedOutcome(
                    number: $0.number(0), id: Array($0.text(1).utf8),
                    outcome: $0.isNull(2) ? .aborted : .committed(sequence: $0.number(2)))
            }
        }
    }

    /// Adds outcomes; returns the sum over those behind `bound`. The others are still there, for the snapshot before.
    static func addOutcomes(
        _ outcomes: [NumberedOutcome], forgettingUpTo bound: UInt64, to sum: OutcomeSum, _ connection: Connection
    ) throws(SQLiteError) -> OutcomeSum {
        var sum = sum
        // What a snapshot that was given up for an older one left.
        if let first = outcomes.first {
            try connection.run("DELETE FROM outcomes WHERE number >= ?", .number(first.number))
        }
        for item in outcomes where item.number > bound {
            let sequence: SQLiteValue = .number(item.outcome.sequence)
            try connection.run(
                "INSERT INTO outcomes VALUES (?,?,?)", .number(item.number),
                .text(String(decoding: item.id, as: UTF8.self)), sequence)
            sum.add(item.hash)
        }
        let leaving = try connection.rows(
            "SELECT tx_id, sequence FROM outcomes WHERE number <= ?", .number(bound)
        ) { NumberedOutcome.hash(id: Array($0.text(0).utf8), sequence: $0.isNull(1) ? nil : $0.number(1)) }
        for hash in leaving { sum.subtract(hash) }
        return sum
    }

    /// Removes the outcomes up to `bound`.
    static func removeOutcomes(upTo bound: UInt64, _ connection: Connection) throws(SQLiteError) {
        try connection.run("DELETE FROM outcomes WHERE number <= ?", .number(bound))
    }

    /// Whether the numbers of all outcomes up to `end` are positive and follow each other up to it.
    func areNumbered(through end: UInt64, _ connection: Connection) throws(SQLiteError) -> Bool {
        try connection.row(
            "SELECT count(*), ifnull(min(number), 1), ifnull(max(number), 0) FROM outcomes WHERE number <= ?",
            .number(end)
        ) { row in
            let (count, first, last) = (row.integer(0), row.integer(1), row.integer(2))
            return count == 0 || first > 0 && last == Int64(end) && count == last - first + 1
        } ?? false
    }

    /// The sum over all outcomes up to `end`.
    func sumOfOutcomes(through end: UInt64, _ connection: Connection) throws(SQLiteError) -> OutcomeSum {
        let hashes = try connection.rows(
            "SELECT tx_id, sequence FROM outcomes WHERE number <= ?", .number(end)
        ) { NumberedOutcome.hash(id: Array($0.text(0).utf8), sequence: $0.isNull(1) ? nil : $0.number(1)) }
        return hashes.reduce(into: OutcomeSum()) { $0.add($1) }
    }
}

/// A sum of hashes modulo 2^256: it does not depend on order, and terms can be added and taken away. It finds what
/// happens by accident; whoever means to forge it can.
struct OutcomeSum: Hashable, Sendable {
    private var low: UInt128 = 0
    private var high: UInt128 = 0

    init() {}

    init(_ digest: Digest) { (high, low) = Self.halves(of: digest) }

    var digest: Digest {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: high.bigEndian) { bytes += $0 }
        withUnsafeBytes(of: low.bigEndian) { bytes += $0 }
        return Digest(bytes: bytes)!
    }

    mutating func add(_ digest: Digest) {
        let (high, low) = Self.halves(of: digest)
        let (sum, carries) = self.low.addingReportingOverflow(low)
        self.low = sum
        self.high = self.high &+ high &+ (carries ? 1 : 0)
    }

    mutating func subtract(_ digest: Digest) {
        let (high, low) = Self.halves(of: digest)
        let (difference, borrows) = self.low.subtractingReportingOverflow(low)
        self.low = difference
        self.high = self.high &- high &- (borrows ? 1 : 0)
    }

    private static func halves(of digest: Digest) -> (high: UInt128, low: UInt128) {
        let bytes = digest.bytes
        func number(_ range: Range<Int>) -> UInt128 { bytes[range].reduce(0) { $0 << 8 | UInt128($1) } }
        return (number(0..<16), number(16..<32))
    }
}
