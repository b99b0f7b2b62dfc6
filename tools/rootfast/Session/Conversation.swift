import Rootfast

/// The answering side of a session: the open store and the transactions that its client has open.
final class Conversation {
    let store: Store
    let path: String
    /// By their client's names.
    private var open: [String: Transaction] = [:]
    /// Whether the store was closed by a request.
    private(set) var isOver = false
    private static let openCountMax = 1024

    init(with store: Store, at path: String) {
        self.store = store
        self.path = path
    }

    /// Does what a line asks for, and says what came of it.
    func answer(_ line: [UInt8]) -> Answer {
        do {
            return try perform(SessionRequest(line))
        } catch {
            return (Failure(error) ?? Failure(.failed, "failed", "\(error)")).answer
        }
    }

    private func perform(_ request: SessionRequest) throws -> Answer {
        var answer = Answer()
        answer.text("op", request.operation.rawValue)
        switch request.operation {
        case .begin: try begin(request)
        case .put: try transaction(request).put(request.key, request.value)
        case .delete: try transaction(request).delete(request.key)
        case .rollback: _ = try take(request)
        case .commit: answer.receipt(try store.commit(take(request), id: request.id))
        case .prepare: try prepare(request, &answer)
        case .write: try write(request, &answer)
        case .decide: try decide(request, &answer)
        case .outcome: answer.outcome(try store.outcome(of: request.id!))
        case .inDoubt: answer.list(inDoubt: try store.inDoubt())
        case .get: if let value = try get(request) { answer.value("value", value) }
        case .scan: answer.entries(try scan(request))
        case .root: answer.state(try view(request))
        case .close: try close(&answer)
        default: try maintain(request, &answer)
        }
        return answer
    }

    private func maintain(_ request: SessionRequest, _ answer: inout Answer) throws {
        switch request.operation {
        case .snapshot:
            let report = try store.maintenance.takeSnapshot()
            answer.object("snapshot") { $0.describe(report) }
        case .compact:
            let (snapshot, decisions) = try store.maintenance.compact()
            answer.object("snapshot") { $0.describe(snapshot) }
            answer.decisions("decisions", decisions)
        case .retain: answer.decisions("decisions", try store.maintenance.retain(isDry: request.isDry))
        case .seal: try store.maintenance.seal()
        case .snapshots: answer.list(try store.maintenance.snapshots(), try store.maintenance.segments())
        case .status: answer.describe(try store.status(), store.recovery)
        case .check: answer.describe(try Store.check(path), store: path)
        default: try store.flush()
        }
    }

    /// What is open is given up.
    private func close(_ answer: inout Answer) throws {
        open = [:]
        let view = store.view
        try store.close()
        isOver = true
        answer.state(view)
    }
}

// MARK: - Transactions

extension Conversation {
    private func begin(_ request: SessionRequest) throws {
        guard open[request.name] == nil else {
            throw Failure(
                .failed, "already_open", "A transaction of this name is open",
                advice: "Commit it, roll it back, or take another name.")
        }
        guard open.count < Self.openCountMax else {
            throw Failure(
                .failed, "too_many_open", "At most \(Self.openCountMax) transactions are open at a time",
                advice: "Commit one, or roll one back.")
        }
        open[request.name] = try store.begin()
    }

    private func transaction(_ request: SessionRequest) throws -> Transaction {
        guard let transaction = open[request.name] else {
            throw Failure(
                .notFound, "not_open", "No transaction of this name is open",
                advice: "Begin it; one that was committed, prepared or rolled back is over.")
        }
        return transaction
    }

    /// Takes an open transaction out: its name is free again.
    private func take(_ request: SessionRequest) throws -> Transaction {
        let transaction = try transaction(request)
        open[request.name] = nil
        return transaction
    }

    private func prepare(_ request: SessionRequest, _ answer: inout Answer) throws {
        if request.isNamed {
            _ = try store.prepare(take(request), id: request.id!)
        } else {
            let transaction = try store.begin()
            let read = try fill(transaction, request)
            _ = try store.prepare(transaction, id: request.id!)
            answer.entries(read)
        }
        answer.outcome(.inDoubt)
    }

    private func decide(_ request: SessionRequest, _ answer: inout Answer) throws {
        switch request.decision {
        case .commit:
            let receipt = try store.commit(request.id!)
            answer.text("outcome", "committed")
            answer.receipt(receipt)
        case .abort(let reason):
            try store.abort(request.id!, reason: reason)
            answer.outcome(.aborted)
        }
    }

    private func write(_ request: SessionRequest, _ answer: inout Answer) throws {
        let (read, receipt) = try store.write(id: request.id) { try fill($0, request) }
        answer.receipt(receipt)
        answer.entries(read)
    }

    /// Reads and changes what a line lists; returns what it read.
    private func fill(_ transaction: Transaction, _ request: SessionRequest) throws -> [Entry] {
        var read: [Entry] = []
        for item in request.reads {
            switch item {
            case .key(let key): read += try transaction.get(key).map { [Entry(key: key, value: $0)] } ?? []
            case .range(let range): read += try transaction.entries(range)
            }
        }
        try request.changes.write(to: transaction)
        return read
    }
}

// MARK: - Reading

extension Conversation {
    private func view(_ request: SessionRequest) throws -> View {
        guard let sequence = request.sequence else { return store.view }
        return try store.view(at: sequence)
    }

    private func get(_ request: SessionRequest) throws -> [UInt8]? {
        request.isNamed ? try transaction(request).get(request.key) : try view(request).get(request.key)
    }

    private func scan(_ request: SessionRequest) throws -> [Entry] {
        request.isNamed ? try transaction(request).entries(request.range) : try view(request).entries(request.range)
    }
}

extension Answer {
    fileprivate mutating func entries(_ entries: [Entry]) {
        objects("entries", entries) { entry, answer in
            answer.key("key", entry.key)
            answer.value("value", entry.value)
        }
    }

    fileprivate mutating func outcome(_ outcome: Outcome) {
        switch outcome {
        case .committed(let sequence):
            text("outcome", "committed")
            number("sequence", sequence)
        case .aborted: text("outcome", "aborted")
        case .inDoubt: text("outcome", "in_doubt")
        case .unknown: text("outcome", "unknown")
        }
    }
}
