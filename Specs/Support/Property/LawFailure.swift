/// A law fails: the simplest case found for which it does, and how to replay it.
package struct LawFailure: Error, CustomStringConvertible {
    package let law: String
    /// What went wrong, and what the law noted of the case.
    package let reason: String
    package let notes: [String]
    /// Which case it was, and how it was shrunk.
    let history: String
    /// `nil` where no case fails, but too little was reached.
    let shrunk: SavedCase?
    /// The case as it was met.
    let met: SavedCase?

    package var description: String {
        var lines = ["The law \"\(law)\" fails: \(Self.cut(reason, 1_000))", history]
        lines += notes.flatMap { $0.split(separator: "\n") }.suffix(12).map { "  " + Self.cut($0, 200) }
        guard let shrunk else { return lines.joined(separator: "\n") }
        let line = "\(shrunk)"
        if line.utf8.count <= 2_000 { lines.append("replay: ROOTFAST_REPLAY='\(law): \(line)'") }
        if let met, case .seed = met { lines.append("replay and shrink again: ROOTFAST_REPLAY='\(law): \(met)'") }
        lines.append("keep: the case behind the colon as a line of Specs/Failures/\(LawSettings.fileName(law))")
        return lines.joined(separator: "\n")
    }

    private static func cut(_ text: some StringProtocol, _ countMax: Int) -> String {
        text.utf8.count <= countMax ? String(text) : text.prefix(countMax) + "…"
    }
}
