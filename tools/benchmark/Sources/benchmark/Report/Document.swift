import Foundation

/// The report for programs: every figure of every round, and the ratios.
struct Document: Encodable {
    private struct Figures: Encodable {
        let unit: String
        let rounds: [Double]
        let median: Double
        let min: Double
        let max: Double
        let latencies: [Latency]?
    }

    private struct RatioFigures: Encodable {
        let median: Double
        let min: Double
        let max: Double
        let against: String
        let target: Double
        let reached: Bool
    }

    private let machine: Machine
    private let date: String
    private let keys: Int
    private let rounds: Int
    private let results: [String: [String: Figures]]
    private let ratios: [String: RatioFigures]
    private let skipped: [String: String]
    private let notes: [String]

    init(_ report: Report) {
        machine = report.machine
        date = report.date.formatted(.iso8601)
        keys = report.plan.keyCount
        rounds = report.plan.rounds
        var results: [String: [String: Figures]] = [:]
        for series in report.results.series {
            let summary = series.summary
            results[series.work.rawValue, default: [:]][series.name] = Figures(
                unit: series.work.unit, rounds: series.rounds, median: summary.median, min: summary.min,
                max: summary.max, latencies: series.latencies.isEmpty ? nil : series.latencies)
        }
        self.results = results
        let ratios = report.ratios.map { ratio in
            (
                ratio.key,
                RatioFigures(
                    median: ratio.summary.median, min: ratio.summary.min, max: ratio.summary.max,
                    against: ratio.against, target: ratio.target.bound, reached: ratio.isReached)
            )
        }
        self.ratios = Dictionary(uniqueKeysWithValues: ratios)
        skipped = report.skipped
        notes = report.results.notes
    }

    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }
}
