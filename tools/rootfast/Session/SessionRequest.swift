import CommitLog
import Rootfast
import StrictJSON

/// One request of a session: an object in any valid spelling of JSON, with `op` and the members that go with it, each of
/// its own kind and in any order. Keys and values are spelled as in the log.
struct SessionRequest {
    enum Operation: String, CaseIterable {
        case begin, put, delete, commit, prepare, rollback
        case write, decide, outcome
        case inDoubt = "in_doubt"
        case get, scan, root
        case snapshot, compact, retain, seal, snapshots, status, check, flush, close
    }

    /// What the name of a member can be.
    enum Member: String {
        case op, tx, key, value, data, reads, from, to, prefix, limit, reverse, sequence, reason, commit
        case txID = "tx_id"
        case dryRun = "dry_run"
    }

    /// Something that a transaction of one line reads.
    enum Read {
        case key([UInt8])
        case range(ScanRange)
    }

    private(set) var operation = Operation.status
    /// What its client calls an open transaction.
    private(set) var name = ""
    /// The id of a transaction in the log.
    private(set) var id: String?
    private(set) var key: [UInt8] = []
    private(set) var value: [UInt8] = []
    private(set) var changes: [Change] = []
    private(set) var reads: [Read] = []
    private(set) var range = ScanRange()
    private(set) var sequence: UInt64?
    private(set) var decision = Decision.commit
    private(set) var isDry = false
    private var given: Set<Member> = []
    private static let nameBytesMax = 256

    /// Whether it belongs to an open transaction.
    var isNamed: Bool { given.contains(.tx) }

    /// - Throws: a `Failure` that says what is wrong with the line.
    init(_ line: [UInt8]) throws {
        do {
            var reader = try JSONReader(line)
            try read(&reader)
        } catch let error as JSONError {
            throw Self.bad("It is not a request: \(error.reason)", at: error.offset)
        } catch let error as ChangesText.Refusal {
            throw Self.bad(error.message, at: error.offset)
        }
        try checkMembers()
    }

    // MARK: - Reading

    private mutating func read(_ reader: inout JSONReader) throws {
        var bounds = Bounds()
        var (isCommit, reason): (Bool?, String?)
        try reader.beginObject()
        while true {
            let offset = reader.offset
            guard let name = reader.nextKey() else { break }
            guard let member = Member(rawValue: String(decoding: name, as: UTF8.self)) else {
                throw Self.bad("It has a member that no request has", at: offset)
            }
            given.insert(member)
            switch member {
            case .op: operation = try Self.operation(&reader)
            case .tx: self.name = try Self.name(&reader)
            case .txID: id = try Self.text(&reader)
            case .key: key = try ChangesText.readKey(&reader)
            case .value: value = try Self.value(&reader)
            case .data: changes = try ChangesText.read(&reader)
            case .reads: reads = try Self.reads(&reader)
            case .from: bounds.from = try ChangesText.readBound(&reader)
            case .to: bounds.to = try ChangesText.readBound(&reader)
            case .prefix: bounds.prefix = try ChangesText.readBound(&reader)
            case .limit: bounds.limit = Int(clamping: try reader.readUnsigned())
            case .reverse: bounds.isReversed = try reader.readBool()
            case .sequence: sequence = try reader.readUnsigned()
            case .commit: isCommit = try reader.readBool()
            case .reason: reason = try Self.text(&reader)
            case .dryRun: isDry = try reader.readBool()
            }
        }
        range = bounds.range
        if let reason, isCommit == true { throw Self.bad("A commit has no reason, such as \(reason)", at: nil) }
        decision = isCommit == true ? .commit : .abort(reason: reason ?? "aborted")
    }

    private static func operation(_ reader: inout JSONReader) throws -> Operation {
        let offset = reader.offset
        guard let operation = Operation(rawValue: try text(&reader)) else {
            var failure = Failure(
                .failed, "unknown_operation", "There is no such operation",
                advice: "There are \(Operation.allCases.map(\.rawValue).joined(separator: ", ")).")
            failure.offset = offset
            throw failure
        }
        return operation
    }

    private static func text(_ reader: inout JSONReader) throws -> String {
        String(decoding: try reader.readString(), as: UTF8.self)
    }

    private static func name(_ reader: inout JSONReader) throws -> String {
        let offset = reader.offset
        let name = try text(&reader)
        guard (1...nameBytesMax).contains(name.utf8.count) else {
            throw bad("The name of an open transaction has 1 to \(nameBytesMax) bytes", at: offset)
        }
        return name
    }

    private static func value(_ reader: inout JSONReader) throws -> [UInt8] {
        let offset = reader.offset
        guard let value = try ChangesText.readValue(&reader) else {
            throw bad("null is no value: delete the key, or spell it as a string", at: offset)
        }
        return value
    }

    /// Keys, and ranges `[from, to]`, as a vote in the log has them.
    private static func reads(_ reader: inout JSONReader) throws -> [Read] {
        var reads: [Read] = []
        try reader.beginArray()
        while reader.hasNext() {
            reads.append(reader.kind == .array ? .range(try pair(&reader)) : .key(try ChangesText.readKey(&reader)))
        }
        return reads
    }

    private static func pair(_ reader: inout JSONReader) throws -> ScanRange {
        let offset = reader.offset
        var bounds = Bounds()
        var count = 0
        try reader.beginArray()
        while reader.hasNext() {
            switch count {
            case 0: bounds.from = try ChangesText.readBound(&reader)
            case 1 where reader.kind == .null: try reader.readNull()
            case 1: bounds.to = try ChangesText.readBound(&reader)
            default: try reader.skipValue()
            }
            count += 1
        }
        guard count == 2 else { throw bad("A range is [FROM,TO]", at: offset) }
        return bounds.range
    }

    static func bad(_ message: String, at offset: Int?) -> Failure {
        var failure = Failure(.failed, "bad_request", message, advice: "See rootfast session --help.")
        failure.offset = offset
        return failure
    }
}

// MARK: - What goes with what

extension SessionRequest {
    private func checkMembers() throws {
        let (required, optional) = operation.members
        guard given.contains(.op) else { throw Self.bad("It has no \"op\"", at: nil) }
        if let missing = required.subtracting(given).min(by: { $0.rawValue < $1.rawValue }) {
            throw Self.bad("\(operation.rawValue) needs \"\(missing.rawValue)\"", at: nil)
        }
        let surplus = given.subtracting(required).subtracting(optional).subtracting([.op])
        if let surplus = surplus.min(by: { $0.rawValue < $1.rawValue }) {
            throw Self.bad("\(operation.rawValue) takes no \"\(surplus.rawValue)\"", at: nil)
        }
        if isNamed, sequence != nil {
            throw Self.bad("An open transaction reads its own state: no \"sequence\"", at: nil)
        }
        if operation == .prepare, !isNamed, !given.contains(.data) {
            throw Self.bad("prepare needs \"tx\" or \"data\"", at: nil)
        }
        if isNamed, given.contains(.data) || given.contains(.reads) {
            throw Self.bad("An open transaction has its changes and reads already", at: nil)
        }
    }
}

extension SessionRequest.Operation {
    typealias Member = SessionRequest.Member

    fileprivate var members: (required: Set<Member>, optional: Set<Member>) {
        switch self {
        case .begin, .rollback: ([.tx], [])
        case .put: ([.tx, .key, .value], [])
        case .delete: ([.tx, .key], [])
        case .commit: ([.tx], [.txID])
        case .prepare: ([.txID], [.tx, .data, .reads])
        case .write: ([.data], [.txID, .reads])
        case .decide: ([.txID, .commit], [.reason])
        case .outcome: ([.txID], [])
        case .get: ([.key], [.tx, .sequence])
        case .scan: ([], [.tx, .sequence, .from, .to, .prefix, .limit, .reverse])
        case .root: ([], [.sequence])
        case .retain: ([], [.dryRun])
        case .inDoubt, .snapshot, .compact, .seal, .snapshots, .status, .check, .flush, .close: ([], [])
        }
    }
}
