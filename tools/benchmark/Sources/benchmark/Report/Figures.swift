import Foundation

/// How numbers are written.
enum Figures {
    /// 12345 as 12,345.
    static func grouped(_ number: Int) -> String {
        let digits = String(number)
        let marks = digits.enumerated().map { position, digit in
            let isStart = position > 0 && (digits.count - position) % 3 == 0
            return (isStart ? "," : "") + String(digit)
        }
        return marks.joined()
    }

    /// Three digits that count, or all before the point.
    static func plain(_ number: Double) -> String {
        switch number {
        case 1000...: grouped(Int((number / scale(number)).rounded() * scale(number)))
        case 100..<1000: String(format: "%.0f", number)
        case 10..<100: String(format: "%.1f", number)
        default: String(format: "%.2f", number)
        }
    }

    /// For a chart: 1.54 M, 92.1 k.
    static func short(_ number: Double) -> String {
        switch number {
        case 1e6...: plain(number / 1e6) + " M"
        case 1e3...: plain(number / 1e3) + " k"
        default: plain(number)
        }
    }

    /// For an axis: 100 k, 1 M.
    static func axis(_ number: Double) -> String {
        switch number {
        case 1e6...: String(format: "%g M", number / 1e6)
        case 1e3...: String(format: "%g k", number / 1e3)
        default: String(format: "%g", number)
        }
    }

    static func range(_ summary: Summary) -> String {
        "\(plain(summary.median)) (\(plain(summary.min))–\(plain(summary.max)))"
    }

    /// The place of the third digit.
    private static func scale(_ number: Double) -> Double { pow(10, floor(log10(number)) - 2) }
}
