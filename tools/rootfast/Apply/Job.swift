import CommitLog
import Rootfast

/// One transaction of an input, ready to be committed.
struct Job: Sendable {
    /// Where it stands in the input.
    var line: Int
    var id: String?
    var changes: [Change]
    /// About the memory it takes.
    var byteCount: Int

    func write(to transaction: Transaction) throws(StoreError) { try changes.write(to: transaction) }

    /// Whether a transaction can have this id.
    static func isID(_ bytes: [UInt8]) -> Bool { RecordLimits.isTxID(bytes) && bytes[0] != UInt8(ascii: "~") }

    static let idRule =
        "a tx_id has 1 to \(RecordLimits.txIDBytesMax) bytes and no control characters, and does not begin with ~"
}

/// Where jobs come from, in the order in which they are to take effect.
protocol JobSource: AnyObject {
    /// The next job. Without `waiting`, `notYet` if it would have to wait for input.
    ///
    /// Throws what is wrong with the input; what was given before still holds, and nothing comes after.
    func next(waiting: Bool) throws -> JobStep
}

enum JobStep {
    case job(Job)
    case notYet
    case end
}
