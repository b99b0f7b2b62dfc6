import CommitLog

/// What the transactions in doubt keep locked: the keys that they write, and the keys and ranges that they read.
///
/// A key that one writes may be neither written by another nor read by another vote; a key that one read may not be
/// written by another. So nothing that commits before the decision can come between a vote and what it saw.
struct LockTable {
    private var writers: [[UInt8]: [UInt8]] = [:]
    private var readers: [[UInt8]: [[UInt8]]] = [:]
    private var ranges: [(from: [UInt8], to: [UInt8]?, id: [UInt8])] = []

    var isEmpty: Bool { writers.isEmpty && readers.isEmpty && ranges.isEmpty }

    mutating func lock(_ voted: Voted) {
        for change in voted.changes { writers[change.key] = voted.id }
        for read in voted.reads {
            switch read {
            case .key(let key): readers[key, default: []].append(voted.id)
            case .range(let from, let to): ranges.append((from, to, voted.id))
            }
        }
    }

    mutating func unlock(_ voted: Voted) {
        for change in voted.changes { writers[change.key] = nil }
        for case .key(let key) in voted.reads {
            readers[key]?.removeAll { $0 == voted.id }
            if readers[key]?.isEmpty == true { readers[key] = nil }
        }
        ranges.removeAll { $0.id == voted.id }
    }

    /// Who keeps a key from being written; `nil` if nobody does.
    func holder(againstWriting key: [UInt8]) -> [UInt8]? {
        if isEmpty { return nil }
        return writers[key] ?? readers[key]?.first ?? ranges.first { Self.contains($0.from, $0.to, key) }?.id
    }

    /// Who keeps a vote from reading this; `nil` if nobody does.
    func holder(againstReading read: ReadItem) -> [UInt8]? {
        switch read {
        case .key(let key): writers[key]
        case .range(let from, let to): writers.first { Self.contains(from, to, $0.key) }?.value
        }
    }

    private static func contains(_ from: [UInt8], _ to: [UInt8]?, _ key: [UInt8]) -> Bool {
        !key.precedes(from) && (to.map { key.precedes($0) } ?? true)
    }
}
