import CommitLog
import StrictJSON

/// The transactions that `apply` reads:
///
/// ```
/// {"tx_id":"…","data":{KEY:VALUE,…}}
/// ```
/// one a line, in any valid spelling of JSON. `tx_id` may be missing; other members are passed over. Keys and values
/// are spelled as in the log: `null` deletes, `{"$base64":"…"}` is bytes, a string is its text, and any other value is
/// kept as its own text less the white space outside strings. Blank lines are passed over.
final class TransactionLines: JobSource {
    private let name: String
    private var reader: LineReader

    init(_ file: consuming InputFile) {
        name = file.name
        reader = LineReader(file)
    }

    func next(waiting: Bool) throws -> JobStep {
        while true {
            switch try reader.next(waiting: waiting) {
            case .end: return .end
            case .notYet: return .notYet
            case .tooLong: throw bad("The line is longer than \(LineReader.byteCountMax) bytes")
            case .line(let line):
                if !line.isBlank { return .job(try job(line)) }
            }
        }
    }

    private func job(_ line: [UInt8]) throws -> Job {
        do {
            var job = Job(line: reader.number, changes: [], byteCount: line.count)
            var reader = try JSONReader(line)
            try read(&reader, into: &job)
            return job
        } catch let error as JSONError {
            throw bad("It is not a transaction: \(error.reason)", offset: error.offset)
        } catch let error as ChangesText.Refusal {
            throw bad(error.message, offset: error.offset)
        }
    }

    private func read(_ reader: inout JSONReader, into job: inout Job) throws {
        var hasData = false
        try reader.beginObject()
        while let name = reader.nextKey() {
            switch String(decoding: name, as: UTF8.self) {
            case "tx_id": job.id = try readID(&reader)
            case "data":
                job.changes = try ChangesText.read(&reader)
                hasData = true
            default: try reader.skipValue()
            }
        }
        guard hasData else { throw bad("It has no \"data\"") }
        guard !job.changes.isEmpty else { throw bad("Its \"data\" changes nothing") }
    }

    private func readID(_ reader: inout JSONReader) throws -> String {
        let offset = reader.offset
        let id = try reader.readString()
        guard Job.isID(id) else { throw bad("It has a tx_id that cannot be: \(Job.idRule)", offset: offset) }
        return String(decoding: id, as: UTF8.self)
    }

    private func bad(_ message: String, offset: Int? = nil) -> Failure {
        var failure = Failure(.failed, "bad_line", message, file: name, line: reader.number)
        failure.offset = offset
        return failure
    }
}
