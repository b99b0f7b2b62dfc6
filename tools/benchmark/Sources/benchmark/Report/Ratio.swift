/// How Rootfast stands to another figure of the same run.
struct Ratio: Codable {
    /// What the ratio is to show.
    struct Target: Codable {
        let bound: Double
        /// Whether the ratio is to be at most the bound, and not at least.
        let isCeiling: Bool

        static func atLeast(_ bound: Double) -> Target { Target(bound: bound, isCeiling: false) }
        static func atMost(_ bound: Double) -> Target { Target(bound: bound, isCeiling: true) }

        func isReached(by value: Double) -> Bool { isCeiling ? value <= bound : value >= bound }
    }

    let key: String
    let against: String
    /// Of the ratios of the rounds.
    let summary: Summary
    let target: Target

    var isReached: Bool { target.isReached(by: summary.median) }

    /// Divides round by round; nothing where one of the two was not measured.
    init?(_ key: String, _ series: Series?, by other: Series?, _ target: Target) {
        guard let series, let other else { return nil }
        self.key = key
        against = other.name
        summary = Summary(zip(series.rounds, other.rounds).map { $0 / $1 })
        self.target = target
    }
}

extension Results {
    /// The keys of all ratios, in their order.
    static let ratioKeys = [
        "durable_1", "durable_1_of_disk", "durable_16", "durable_64", "async_1", "get_1", "scan", "reopen", "written",
        "flat", "journaled_16",
    ]

    func ratios(_ plan: Plan) -> [Ratio] {
        let disk = series(.bareDisk, BareDisk.title)
        let flat = plan.flatSizes.filter { $0 >= 1000 }.map { series(.flat, FlatWorkload.title($0)) }
        return [
            Ratio("durable_1", rootfast(.durable1), by: bestPeer(.durable1), .atLeast(1.3)),
            Ratio("durable_1_of_disk", rootfast(.durable1), by: disk, .atLeast(0.8)),
            Ratio("durable_16", rootfast(.durable16), by: bestPeer(.durable16), .atLeast(1.4)),
            Ratio("durable_64", rootfast(.durable64), by: bestPeer(.durable64), .atLeast(1.4)),
            Ratio("async_1", rootfast(.async1), by: bestPeer(.async1), .atLeast(1.2)),
            Ratio("get_1", rootfast(.get1), by: peer(.lmdb, .get1), .atLeast(1)),
            Ratio("scan", rootfast(.scan), by: peer(.lmdb, .scan), .atLeast(0.5)),
            Ratio("reopen", rootfast(.reopen), by: peer(.leveldb, .reopen), .atLeast(1)),
            Ratio("written", rootfast(.writtenByCommits), by: peer(.rocksdb, .writtenByCommits), .atMost(0.7)),
            Ratio("flat", flat.last ?? nil, by: flat.first ?? nil, .atLeast(0.4)),
            Ratio("journaled_16", rootfast(.journaled16), by: bestPeer(.journaled16), .atLeast(1.8)),
        ].compactMap(\.self)
    }

    private func rootfast(_ work: Work) -> Series? { peer(.rootfast, work) }

    private func peer(_ contender: Contender, _ work: Work) -> Series? { series(work, contender.title) }

    /// The peer that is fastest by its median.
    private func bestPeer(_ work: Work) -> Series? {
        let peers = Contender.allCases.filter { $0 != .rootfast }.compactMap { peer($0, work) }
        return peers.max { $0.summary.median < $1.summary.median }
    }
}
