/// What one engine, or one size, gave in a kind of work: a number a round.
struct Series: Codable {
    let work: Work
    let name: String
    var rounds: [Double] = []
    /// Of those works that time each commit, as many.
    var latencies: [Latency] = []

    var summary: Summary { Summary(rounds) }
}

/// How long commits took, in microseconds.
struct Latency: Codable {
    let p50: Double
    let p99: Double
    let p999: Double

    init(_ histogram: Histogram) {
        p50 = histogram.quantile(0.5) / 1000
        p99 = histogram.quantile(0.99) / 1000
        p999 = histogram.quantile(0.999) / 1000
    }
}

/// All that was measured, in the order in which it was.
struct Results: Codable {
    private(set) var series: [Series] = []
    /// What could not be measured, by the key of its ratio, and why.
    var skipped: [String: String] = [:]
    /// What a reader of the figures has to know.
    var notes: [String] = []

    mutating func add(_ work: Work, _ name: String, _ value: Double, _ histogram: Histogram? = nil) {
        let index = series.firstIndex { $0.work == work && $0.name == name } ?? series.count
        if index == series.count { series.append(Series(work: work, name: name)) }
        series[index].rounds.append(value)
        if let histogram { series[index].latencies.append(Latency(histogram)) }
    }

    mutating func add(_ other: Results) {
        series += other.series
        skipped.merge(other.skipped) { first, _ in first }
        notes += other.notes
    }

    func series(_ work: Work) -> [Series] { series.filter { $0.work == work } }
    func series(_ work: Work, _ name: String) -> Series? { series(work).first { $0.name == name } }
}
