/// In which order numbers were appended to each list, as the longest read of it shows; and what is wrong with the reads
/// themselves.
struct AppendOrder {
    struct Append {
        var transaction: Int
        var isLastOfKey: Bool
    }

    private let history: ListHistory
    private(set) var anomalies: [Anomaly] = []
    /// Who appended a number.
    private(set) var appends: [Int: Append] = [:]
    /// The longest read of each list.
    private(set) var longest: [String: [Int]] = [:]
    /// Committed numbers that no read shows: they come after all that are read.
    private(set) var unread: [String: [Int]] = [:]

    init(_ history: ListHistory) {
        self.history = history
        collectAppends()
        for index in history.transactions.indices {
            checkOwnReads(index)
            for (key, list) in history.transactions[index].outerReads { take(key, list, index) }
        }
        collectUnread()
    }

    private mutating func note(_ kind: Anomaly.Kind, _ story: String) {
        anomalies.append(Anomaly(kind: kind, story: story))
    }

    private mutating func collectAppends() {
        for (index, transaction) in history.transactions.enumerated() {
            var last: [String: Int] = [:]
            for case .append(let key, let number) in transaction.operations {
                if let earlier = last.updateValue(number, forKey: key) { appends[earlier]!.isLastOfKey = false }
                appends[number] = Append(transaction: index, isLastOfKey: true)
            }
        }
    }

    /// Within a transaction each read is the one before and its own appends since.
    private mutating func checkOwnReads(_ index: Int) {
        var known: [String: [Int]] = [:]
        var own: [String: [Int]] = [:]
        for operation in history.transactions[index].operations {
            switch operation {
            case .append(let key, let number):
                known[key]?.append(number)
                own[key, default: []].append(number)
            case .read(let key, let list):
                let isExpected = known[key].map { $0 == list } ?? list.hasSuffix(own[key] ?? [])
                if !isExpected {
                    note(.internalRead, "T\(index) reads \(key) \(list) beside its own \(own[key] ?? [])")
                }
                known[key] = list
            }
        }
    }

    private mutating func take(_ key: String, _ list: [Int], _ reader: Int) {
        let name = "T\(reader) reads \(key) \(list)"
        if Set(list).count < list.count { note(.strayNumber, "\(name), a number twice") }
        for number in list { checkSource(of: number, reader, name) }
        if let last = list.last, let append = appends[last], !append.isLastOfKey {
            note(.g1b, "\(name), and T\(append.transaction) goes on to append to \(key)")
        }
        let other = longest[key] ?? []
        let (short, long) = list.count < other.count ? (list, other) : (other, list)
        if !long.starts(with: short) { note(.incompatibleOrder, "\(name), another \(other)") }
        longest[key] = long
    }

    private mutating func checkSource(of number: Int, _ reader: Int, _ name: String) {
        guard let source = appends[number]?.transaction else {
            return note(.strayNumber, "\(name), and nobody appended \(number)")
        }
        if source == reader { return note(.internalRead, "\(name), of which \(number) is its own, and not yet there") }
        if !history.transactions[source].isCommitted {
            note(.g1a, "\(name), of which \(number) is of T\(source), which had no effect")
        }
    }

    private mutating func collectUnread() {
        let read = Set(longest.values.joined())
        for transaction in history.transactions where transaction.isCommitted {
            for case .append(let key, let number) in transaction.operations where !read.contains(number) {
                unread[key, default: []].append(number)
            }
        }
    }
}

extension [Int] {
    fileprivate func hasSuffix(_ end: [Int]) -> Bool { reversed().starts(with: end.reversed()) }
}
