/// Which transaction must come before which, and why; serializable transactions have no cycle of it.
///
/// A node is a transaction. Behind these come nodes for moments: the order in time is a chain of them, so that its edges
/// are few.
struct DependencyGraph {
    enum Dependency: UInt8 {
        /// The second wrote over what the first wrote.
        case writeWrite
        /// The second read what the first wrote.
        case writeRead
        /// The second wrote over what the first read.
        case readWrite
        /// The first ended before the second began.
        case time

        var name: String {
            switch self {
            case .writeWrite: "ww"
            case .writeRead: "wr"
            case .readWrite: "rw"
            case .time: "then"
            }
        }
    }
    typealias Edge = (to: Int, dependency: Dependency)

    private let transactionCount: Int
    private(set) var edges: [[Edge]]

    init(_ history: ListHistory, _ order: AppendOrder) {
        transactionCount = history.transactions.count
        edges = Array(repeating: [], count: transactionCount)
        addWrites(order)
        for (index, transaction) in history.transactions.enumerated() where transaction.isCommitted {
            for (key, list) in transaction.outerReads { addRead(key, list, index, order) }
        }
        addTime(history)
    }

    private mutating func add(_ from: Int, _ to: Int, _ dependency: Dependency) {
        if from != to { edges[from].append((to, dependency)) }
    }

    private mutating func addWrites(_ order: AppendOrder) {
        let keys = Set(order.longest.keys).union(order.unread.keys)
        for key in keys {
            let list = order.longest[key] ?? []
            let writers = list.map { order.appends[$0]!.transaction }
            for (a, b) in zip(writers, writers.dropFirst()) { add(a, b, .writeWrite) }
            guard let last = writers.last else { continue }
            for number in order.unread[key] ?? [] { add(last, order.appends[number]!.transaction, .writeWrite) }
        }
    }

    private mutating func addRead(_ key: String, _ list: [Int], _ reader: Int, _ order: AppendOrder) {
        if let last = list.last { add(order.appends[last]!.transaction, reader, .writeRead) }
        let all = order.longest[key] ?? []
        let missed = list.count < all.count ? [all[list.count]] : order.unread[key] ?? []
        for number in missed { add(reader, order.appends[number]!.transaction, .readWrite) }
    }

    /// Whoever ended leads to its moment, each moment to the next, and the last before a transaction began to it.
    private mutating func addTime(_ history: ListHistory) {
        let transactions = history.transactions
        let ended = transactions.indices.filter { transactions[$0].isCommitted && transactions[$0].ended < .max }
            .sorted { transactions[$0].ended < transactions[$1].ended }
        edges += Array(repeating: [], count: ended.count)
        for (moment, index) in ended.enumerated() {
            add(index, transactionCount + moment, .time)
            if moment > 0 { add(transactionCount + moment - 1, transactionCount + moment, .time) }
        }
        for index in transactions.indices where transactions[index].isCommitted {
            let before = ended.partitioned { transactions[$0].ended >= transactions[index].began }
            if before > 0 { add(transactionCount + before - 1, index, .time) }
        }
    }
}

extension [Int] {
    /// The first index for which it is so, of an array in which it is so from there on.
    fileprivate func partitioned(by isBehind: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

// MARK: - Cycles

extension DependencyGraph {
    /// A kind of cycle: one edge that closes it, and a way back through others.
    private static let searches: [(kind: Anomaly.Kind, closing: Dependency, through: Set<Dependency>)] = [
        (.g0, .writeWrite, [.writeWrite]), (.g1c, .writeRead, [.writeWrite, .writeRead]),
        (.gSingle, .readWrite, [.writeWrite, .writeRead]),
        (.g2, .readWrite, [.writeWrite, .writeRead, .readWrite]),
    ]

    /// One cycle of each kind in each part of the graph that has any. Time counts only where there is none without it.
    var anomalies: [Anomaly] {
        let plain = cycles(inTime: false)
        return plain.isEmpty ? cycles(inTime: true) : plain
    }

    private func cycles(inTime: Bool) -> [Anomaly] {
        let successors = edges.map { edges in edges.filter { inTime || $0.dependency != .time }.map(\.to) }
        return stronglyConnectedComponents(of: successors).flatMap { component in
            let part = Set(component)
            return Self.searches.compactMap { search -> Anomaly? in
                let through = inTime ? search.through.union([.time]) : search.through
                return cycle(search.kind, closing: search.closing, through: through, in: part)
            }
        }
    }

    private func cycle(
        _ kind: Anomaly.Kind, closing: Dependency, through: Set<Dependency>, in part: Set<Int>
    ) -> Anomaly? {
        for from in part.sorted() {
            for edge in edges[from] where edge.dependency == closing && part.contains(edge.to) {
                guard let path = path(from: edge.to, to: from, through: through, in: part) else { continue }
                let cycle = [edge] + path
                // A way back without another missed write makes it a lesser anomaly, which has a search of its own.
                if kind == .g2, !path.contains(where: { $0.dependency == .readWrite }) { continue }
                return Anomaly(
                    kind: kind, isOfTime: cycle.contains { $0.dependency == .time }, story: story(from, cycle))
            }
        }
        return nil
    }

    /// The shortest path, by breadth first.
    private func path(from: Int, to: Int, through: Set<Dependency>, in part: Set<Int>) -> [Edge]? {
        var cameBy: [Int: (from: Int, edge: Edge)] = [:]
        var front = [from]
        while !front.isEmpty, cameBy[to] == nil {
            var next: [Int] = []
            for node in front {
                for edge in edges[node] where through.contains(edge.dependency) && part.contains(edge.to) {
                    guard edge.to != from, cameBy[edge.to] == nil else { continue }
                    cameBy[edge.to] = (node, edge)
                    next.append(edge.to)
                }
            }
            front = next
        }
        var path: [Edge] = []
        var node = to
        while node != from {
            guard let (before, edge) = cameBy[node] else { return nil }
            path.append(edge)
            node = before
        }
        return path.reversed()
    }

    private func story(_ first: Int, _ cycle: [Edge]) -> String {
        var text = "T\(first)"
        for edge in cycle where edge.to < transactionCount { text += " -\(edge.dependency.name)-> T\(edge.to)" }
        return text
    }
}
