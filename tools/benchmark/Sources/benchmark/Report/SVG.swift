import Foundation

/// Writes the few elements of SVG that the chart is made of. Colours are of a middle lightness: there is no background,
/// and the page it stands on may be light or dark.
struct SVG {
    enum Colour: String {
        case text = "#737b85"
        case grid = "#737b8540"
        case peer = "#8f99a6"
        case own = "#e0631b"
    }

    enum Anchor: String {
        case start
        case middle
        case end
    }

    let width: Double
    let height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    var text: String {
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\" "
            + "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\" "
            + "font-family=\"-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\" font-size=\"12\">"
        return ([head] + elements + ["</svg>", ""]).joined(separator: "\n")
    }

    mutating func text(
        _ text: String, x: Double, y: Double, _ anchor: Anchor = .start, _ colour: Colour = .text, isBold: Bool = false,
        size: Double = 12
    ) {
        let weight = isBold ? " font-weight=\"600\"" : ""
        elements.append(
            "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" text-anchor=\"\(anchor.rawValue)\" "
                + "fill=\"\(colour.rawValue)\" font-size=\"\(Self.number(size))\"\(weight)>\(Self.escaped(text))</text>"
        )
    }

    mutating func bar(x: Double, y: Double, width: Double, height: Double, _ colour: Colour) {
        elements.append(
            "<rect x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
                + "height=\"\(Self.number(height))\" rx=\"2\" fill=\"\(colour.rawValue)\"/>")
    }

    mutating func line(_ points: [(x: Double, y: Double)], _ colour: Colour, width: Double) {
        let path = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        elements.append(
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour.rawValue)\" "
                + "stroke-width=\"\(Self.number(width))\" stroke-linejoin=\"round\"/>")
    }

    mutating func dot(x: Double, y: Double, _ colour: Colour) {
        elements.append(
            "<circle cx=\"\(Self.number(x))\" cy=\"\(Self.number(y))\" r=\"3\" fill=\"\(colour.rawValue)\"/>")
    }

    private static func number(_ value: Double) -> String { String(format: "%g", (value * 10).rounded() / 10) }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
