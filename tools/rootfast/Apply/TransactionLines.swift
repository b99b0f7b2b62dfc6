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
        }
    }

    private func read(_ reader: inout JSONReader, into job: inout Job) throws {
        var hasData = false
        try reader.beginObject()
        while let name = reader.nextKey() {
            switch String(decoding: name, as: UTF8.self) {
            case "tx_id": job.id = try readID(&reader)
            case "data":
                job.changes = try readData(&reader)
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

    private func readData(_ reader: inout JSONReader) throws -> [Change] {
        var changes: [Change] = []
        var hasBase64Key = false
        try reader.beginObject()
        while true {
            let offset = reader.offset
            guard let spelled = reader.nextKey() else { break }
            hasBase64Key = hasBase64Key || spelled.first == UInt8(ascii: "$")
            changes.append(Change(key: try key(spelled, at: offset), value: try readValue(&reader)))
        }
        // The same key twice in one spelling is no JSON here; in two spellings it is to be found.
        if hasBase64Key, Set(changes.map(\.key)).count < changes.count {
            throw bad("A key stands twice, in two spellings")
        }
        return changes
    }

    private func key(_ spelled: [UInt8], at offset: Int) throws -> [UInt8] {
        guard let key = RecordText.key(spelled) else {
            throw bad("Behind the $ of a key does not stand base64, padded", offset: offset)
        }
        guard (1...RecordLimits.keyBytesMax).contains(key.count) else {
            throw bad(
                "A key has 1 to \(RecordLimits.keyBytesMax) bytes, and one of its keys \(key.count)", offset: offset)
        }
        return key
    }

    private func readValue(_ reader: inout JSONReader) throws -> [UInt8]? {
        let offset = reader.offset
        let value = try RecordText.readValue(&reader)
        guard value.map({ $0.count <= RecordLimits.valueBytesMax }) ?? true else {
            throw bad("A value is longer than \(RecordLimits.valueBytesMax) bytes", offset: offset)
        }
        return value
    }

    private func bad(_ message: String, offset: Int? = nil) -> Failure {
        var failure = Failure(.failed, "bad_line", message, file: name, line: reader.number)
        failure.offset = offset
        return failure
    }
}
