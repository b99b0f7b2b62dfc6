/// The report as a picture: a small bar chart for each kind of work, longer bars better, and Rootfast's speed by size
/// beside its ancestor's.
struct Chart {
    private static let columnWidth = 290.0
    private static let gap = 25.0
    private static let margin = 10.0
    private static let rowHeight = 165.0
    private static let header = 34.0

    private let report: Report
    private var svg: SVG

    init(_ report: Report) {
        self.report = report
        let width = 2 * Self.margin + 3 * Self.columnWidth + 2 * Self.gap
        svg = SVG(width: width, height: Self.header + 3 * Self.rowHeight + 24)
        let keyCount = Figures.grouped(report.plan.keyCount)
        svg.text(
            "Rootfast beside other embedded stores: \(keyCount) keys, commits of four; longer is better",
            x: Self.margin,
            y: 20, isBold: true, size: 14)
        let works: [Work] = [.durable1, .durable16, .durable64, .async1, .get1, .scan, .reopen]
        for (position, work) in works.enumerated() {
            drawBars(work, x: Self.x(position % 3), y: Self.header + Double(position / 3) * Self.rowHeight)
        }
        drawLines(x: Self.x(1), y: Self.header + 2 * Self.rowHeight, width: 2 * Self.columnWidth + Self.gap)
        svg.text(
            "Medians of \(report.plan.rounds) interleaved rounds; thin lines from the lowest to the highest. "
                + "\(report.machine.cpu), \(report.machine.cores) cores.",
            x: Self.margin, y: svg.height - 8, size: 11)
    }

    var text: String { svg.text }

    private static func x(_ column: Int) -> Double { margin + Double(column) * (columnWidth + gap) }

    // MARK: - Bars

    private mutating func drawBars(_ work: Work, x: Double, y: Double) {
        svg.text("\(work.title), \(work.unit)", x: x, y: y + 14, isBold: true)
        let all = report.results.series(work).filter { $0.name != GetWorkload.copyingTitle }
        let sorted = all.sorted { Self.rank($0) < Self.rank($1) }
        guard let longest = sorted.map(\.summary.max).max() else {
            svg.text("not measured", x: x, y: y + 38)
            return
        }
        for (position, series) in sorted.enumerated() {
            drawBar(series, x: x, y: y + 24 + Double(position) * 21, longest: longest)
        }
    }

    private static func rank(_ series: Series) -> Int {
        Contender.allCases.firstIndex { $0.title == series.name } ?? Contender.allCases.count
    }

    private mutating func drawBar(_ series: Series, x: Double, y: Double, longest: Double) {
        let isOwn = series.name == Contender.rootfast.title
        let colour: SVG.Colour = isOwn ? .own : .peer
        let start = x + 96
        let scale = (Self.columnWidth - 96 - 56) / longest
        let summary = series.summary
        svg.text(series.name, x: start - 6, y: y + 12, .end, isOwn ? .own : .text, isBold: isOwn, size: 11)
        svg.bar(x: start, y: y + 1, width: max(1, summary.median * scale), height: 14, colour)
        svg.line([(start + summary.min * scale, y + 8), (start + summary.max * scale, y + 8)], .text, width: 1)
        svg.text(
            Figures.short(summary.median), x: start + summary.max * scale + 6, y: y + 12, .start,
            isOwn ? .own : .text, isBold: isOwn, size: 11)
    }

    // MARK: - Lines

    private mutating func drawLines(x: Double, y: Double, width: Double) {
        svg.text("non-durable commits/s by the number of keys", x: x, y: y + 14, isBold: true)
        let lines: [(Work, SVG.Colour, String)] = [
            (.flat, .own, "Rootfast"), (.ancestor, .peer, "RVC v2, its ancestor"),
        ]
        let sizes = report.plan.flatSizes
        let values = lines.flatMap { line in report.results.series(line.0).map(\.summary.median) }
        guard let lowest = values.min(), let highest = values.max() else {
            svg.text("not measured", x: x, y: y + 38)
            return
        }
        let frame = LogFrame(
            x: x + 40, y: y + 26, width: width - 100, height: 102, columns: sizes.count, lowest: lowest,
            highest: highest)
        drawGrid(frame, sizes)
        for (work, colour, title) in lines { drawLine(work, colour, title, sizes, frame) }
    }

    private mutating func drawGrid(_ frame: LogFrame, _ sizes: [Int]) {
        for power in frame.powers {
            let y = frame.y(power)
            svg.line([(frame.x, y), (frame.x + frame.width, y)], .grid, width: 1)
            svg.text(Figures.axis(power), x: frame.x - 8, y: y + 4, .end, size: 11)
        }
        for (column, size) in sizes.enumerated() {
            svg.text(
                Figures.axis(Double(size)), x: frame.x(column), y: frame.y + frame.height + 16, .middle, size: 11)
        }
    }

    private mutating func drawLine(
        _ work: Work, _ colour: SVG.Colour, _ title: String, _ sizes: [Int], _ frame: LogFrame
    ) {
        let points = sizes.enumerated().compactMap { column, size -> (x: Double, y: Double)? in
            guard let series = report.results.series(work, FlatWorkload.title(size)) else { return nil }
            return (frame.x(column), frame.y(series.summary.median))
        }
        guard let last = points.last else { return }
        svg.line(points, colour, width: 2)
        for point in points { svg.dot(x: point.x, y: point.y, colour) }
        svg.text(
            title, x: last.x + 10, y: frame.middle(around: last.y) + 4, .start, colour == .own ? .own : .text,
            isBold: colour == .own, size: 11)
    }
}
