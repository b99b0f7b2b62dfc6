import Foundation

/// Where the points of a line chart lie: columns side by side, and heights by powers of ten.
struct LogFrame {
    let x: Double
    let y: Double
    let width: Double
    let height: Double
    private let columns: Int
    private let low: Double
    private let high: Double

    init(x: Double, y: Double, width: Double, height: Double, columns: Int, lowest: Double, highest: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        self.columns = columns
        low = floor(log10(lowest))
        high = max(low + 1, ceil(log10(highest)))
    }

    /// The powers of ten from the lower edge to the upper.
    var powers: [Double] { stride(from: low, through: high, by: 1).map { pow(10, $0) } }

    func x(_ column: Int) -> Double { x + (Double(column) + 0.5) * width / Double(columns) }

    func y(_ value: Double) -> Double { y + height * (high - log10(value)) / (high - low) }

    /// The middle between the two lines of the grid that a point lies between.
    func middle(around y: Double) -> Double {
        let lines = powers.map { self.y($0) }
        let (above, below) = (lines.filter { $0 <= y }.max() ?? y, lines.filter { $0 > y }.min() ?? y)
        return (above + below) / 2
    }
}
