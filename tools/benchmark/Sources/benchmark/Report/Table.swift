/// The report for people, as plain text.
struct Table {
    private let report: Report

    init(_ report: Report) { self.report = report }

    var text: String {
        var lines = [
            report.machine.description,
            "\(Figures.grouped(report.plan.keyCount)) keys of \(Shape.keyLength) bytes with values of "
                + "\(Shape.valueLength), commits of \(Shape.keysPerCommit); median (min–max) of \(report.plan.rounds) rounds",
        ]
        for work in Work.allCases { lines += section(work) }
        lines += ratioLines
        lines += report.results.notes.map { "note: " + $0 }
        return lines.joined(separator: "\n")
    }

    private func section(_ work: Work) -> [String] {
        let all = report.results.series(work)
        guard let first = all.first else { return [] }
        let isTimed = !first.latencies.isEmpty
        let head = ["", "\(work.title), \(work.unit)"] + (isTimed ? ["µs: p50", "p99", "p99.9"] : [])
        let rows = all.map { series in
            [series.name, Figures.range(series.summary)] + (isTimed ? latencies(series) : [])
        }
        return [""] + Self.aligned([head] + rows)
    }

    private func latencies(_ series: Series) -> [String] {
        let parts: [(Latency) -> Double] = [\.p50, \.p99, \.p999]
        return parts.map { part in Figures.plain(Summary(series.latencies.map(part)).median) }
    }

    private var ratioLines: [String] {
        let rows = report.ratios.map { ratio in
            [
                ratio.key, Figures.range(ratio.summary), "to " + ratio.against,
                "\(ratio.target.isCeiling ? "at most" : "at least") \(Figures.plain(ratio.target.bound))",
                ratio.isReached ? "reached" : "NOT REACHED",
            ]
        }
        let skipped = report.skipped.sorted { $0.key < $1.key }.map { [$0.key, "skipped: \($0.value)"] }
        return ["", "ratios, round by round"] + Self.aligned(rows) + Self.aligned(skipped)
    }

    /// Puts cells under one another.
    private static func aligned(_ rows: [[String]]) -> [String] {
        let columnCount = rows.map(\.count).max() ?? 0
        let widths = (0..<columnCount).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max()!
        }
        return rows.map { row in
            let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
            let line = "  " + cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }
}
