package import CommitLog
package import Hashing
package import Rootfast
import StateTree

/// What a store should hold, in plain dictionaries: the oracle of the laws.
package struct StoreModel: Hashable {
    package private(set) var entries: [[UInt8]: [UInt8]] = [:]
    package private(set) var inDoubt: [String: [Change]] = [:]
    package private(set) var outcomes: [String: Outcome] = [:]
    package private(set) var sequence: UInt64 = 0
    /// The number of the log's last record.
    package private(set) var recordNumber: UInt64 = 0

    package init() {}

    package mutating func commit(_ changes: [Change], id: String? = nil) {
        for change in changes { entries[change.key] = change.value }
        sequence += 1
        recordNumber += 2
        if let id { outcomes[id] = .committed(sequence: sequence) }
    }

    package mutating func vote(_ id: String, _ changes: [Change]) {
        inDoubt[id] = changes
        recordNumber += 1
        outcomes[id] = .inDoubt
    }

    package mutating func decide(_ id: String, commits: Bool) {
        let changes = inDoubt.removeValue(forKey: id)!
        let record = recordNumber + 1
        if commits { commit(changes, id: id) } else { outcomes[id] = .aborted }
        recordNumber = record
    }

    /// The transaction in doubt that holds a key.
    package func holder(of key: [UInt8]) -> String? {
        inDoubt.first { $0.value.contains { $0.key == key } }?.key
    }

    /// The root of the entries, by the definition alone.
    package var root: Digest {
        var builder = RootBuilder()
        for (key, value) in entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            key.withUnsafeBytes { key in value.withUnsafeBytes { builder.add(key: key, value: $0) } }
        }
        return builder.root()
    }

    /// What a store that holds this shows at a glance.
    package var face: StoreFace { StoreFace(sequence: sequence, root: root, inDoubt: inDoubt.keys.sorted()) }
}

/// What a store shows at a glance. As the root is that of all entries, two stores with the same face hold the same.
package struct StoreFace: Hashable {
    package var sequence: UInt64
    package var root: Digest
    package var inDoubt: [String]

    package init(sequence: UInt64, root: Digest, inDoubt: [String]) {
        self.sequence = sequence
        self.root = root
        self.inDoubt = inDoubt
    }

    package init(_ store: Store) throws {
        (sequence, root) = (store.view.sequence, store.root)
        inDoubt = try store.inDoubt().map(\.id).sorted()
    }
}

extension Store {
    /// Fails unless this store holds exactly what the model does, entry by entry and outcome by outcome.
    package func expect(holding model: StoreModel) throws {
        try expect(entriesOf: model)
        try expect(outcomesOf: model)
        try SpecSupport.expect(StoreFace(self) == model.face, "the face differs")
    }

    /// Fails unless scans and gets answer what the model says.
    package func expect(entriesOf model: StoreModel) throws {
        var found: [[UInt8]: [UInt8]] = [:]
        try view.scan { key, value in
            found[Array(key)] = Array(value)
            return true
        }
        try SpecSupport.expect(found == model.entries, "the entries differ")
        for (key, value) in model.entries {
            try SpecSupport.expect(get(key) == value, "a get of \(key) differs from the scan")
        }
    }

    /// Fails unless each transaction became what the model says.
    package func expect(outcomesOf model: StoreModel) throws {
        for (id, outcome) in model.outcomes {
            try SpecSupport.expect(self.outcome(of: id) == outcome, "the outcome of \(id) is not \(outcome)")
        }
    }
}
