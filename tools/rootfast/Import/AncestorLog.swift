import CommitLog
import Hashing
import StrictJSON

/// The transactions of a log of RVC v2, the ancestor of this format, in the order of their commits:
///
/// ```
/// {"op":"PREPARE","tx_id":"…","changes":{…},"timestamp":…}      also with "data" for "changes"
/// {"op":"COMMIT","tx_id":"…","timestamp":…}                      or ABORT
/// {"tx_id":"…","changes":{…},"timestamp":…,"committed":true}    its older form; with false a COMMIT may follow
/// ```
/// Keys are strings as they are (there is no base64), strings are their text, and every other value is kept as its own
/// text less the white space outside strings, `null` too: the ancestor has no deletes. A line that is none of these is
/// passed over, as the ancestor does, and its number kept.
final class AncestorLog: JobSource {
    private let name: String
    private var reader: LineReader
    private var pending: [String: Pending] = [:]
    private var decided: Set<String> = []
    private var idsUsed: Set<String> = []
    /// Of ids that were used again, the last number behind them.
    private var lastUses: [String: Int] = [:]

    /// Transactions whose commit was found; given up; and prepared again before they were decided.
    private(set) var committedCount = 0
    private(set) var abortedCount = 0
    private var supersededCount = 0
    /// Numbers of lines: such that are no record, and commits of what is nowhere prepared.
    private(set) var unreadable: [Int] = []
    private(set) var withoutPrepare: [Int] = []

    private struct Pending {
        var changes: [Change]
        var byteCount: Int
    }

    init(_ file: consuming InputFile) {
        name = file.name
        reader = LineReader(file)
    }

    /// Transactions that are neither committed nor aborted. Only at the end.
    var undecidedCount: Int { pending.count + supersededCount }

    func next(waiting: Bool) throws -> JobStep {
        while true {
            switch try reader.next(waiting: waiting) {
            case .end: return .end
            case .notYet: return .notYet
            case .tooLong: unreadable.append(reader.number)
            case .line(let line):
                guard !line.isBlank else { continue }
                guard let record = Record(line) else {
                    unreadable.append(reader.number)
                    continue
                }
                if let job = try take(record, byteCount: line.count) { return .job(job) }
            }
        }
    }

    // MARK: One record

    /// Takes a record in; the transaction that it commits, if there is one that changes something.
    private func take(_ record: Record, byteCount: Int) throws -> Job? {
        switch record.kind {
        case .prepare(let changes):
            let earlier = pending.updateValue(Pending(changes: changes, byteCount: byteCount), forKey: record.id)
            if earlier != nil { supersededCount += 1 }
            return nil
        case .whole(let changes):
            pending[record.id] = nil
            return try commit(record.id, Pending(changes: changes, byteCount: byteCount))
        case .commit:
            guard let transaction = pending.removeValue(forKey: record.id) else {
                if !decided.contains(record.id) { withoutPrepare.append(reader.number) }
                return nil
            }
            return try commit(record.id, transaction)
        case .abort:
            if pending.removeValue(forKey: record.id) != nil || !decided.contains(record.id) { abortedCount += 1 }
            decided.insert(record.id)
            return nil
        }
    }

    private func commit(_ id: String, _ transaction: Pending) throws -> Job? {
        decided.insert(id)
        try checkSizes(transaction.changes)
        committedCount += 1
        guard !transaction.changes.isEmpty else { return nil }
        return Job(
            line: reader.number, id: unusedID(id), changes: transaction.changes, byteCount: transaction.byteCount)
    }

    /// The id to commit under. The ancestor may use an id again, as after a restart, or one that cannot be here; what it
    /// becomes then depends on the log alone, so that an import can be run again.
    private func unusedID(_ id: String) -> String {
        let base = Job.isID(Array(id.utf8)) ? id : "rvc2-\(BLAKE2b.hash(id.utf8))"
        guard !idsUsed.insert(base).inserted else { return base }
        var use = lastUses[base, default: 1]
        var unused: String
        repeat {
            use += 1
            let numbered = "\(base) (\(use))"
            unused = Job.isID(Array(numbered.utf8)) ? numbered : "rvc2-\(BLAKE2b.hash(numbered.utf8))"
        } while !idsUsed.insert(unused).inserted
        lastUses[base] = use
        return unused
    }

    private func checkSizes(_ changes: [Change]) throws {
        for change in changes {
            guard (1...RecordLimits.keyBytesMax).contains(change.key.count) else {
                throw bad(
                    "A key has 1 to \(RecordLimits.keyBytesMax) bytes, and one that is committed here \(change.key.count)"
                )
            }
            guard change.value!.count <= RecordLimits.valueBytesMax else {
                throw bad("A value that is committed here is longer than \(RecordLimits.valueBytesMax) bytes")
            }
        }
    }

    private func bad(_ message: String) -> Failure {
        Failure(.failed, "bad_line", message, file: name, line: reader.number)
    }
}
