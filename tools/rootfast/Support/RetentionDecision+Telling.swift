import ArgumentParser
import Rootfast

extension RetentionItem {
    /// As it is spelled on the command line: `snapshot:3`, `segment:12`.
    var spelling: String {
        switch self {
        case .snapshot(let id): "snapshot:\(id)"
        case .segment(let number): "segment:\(number)"
        }
    }

    /// The reverse of `spelling`.
    static func spelled(_ text: String) throws -> RetentionItem {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch (parts.first, parts.count == 2 ? UInt64(parts[1]) : nil) {
        case ("snapshot", let id?): return .snapshot(id)
        case ("segment", let number?): return .segment(number)
        default: throw ValidationError("an item is spelled snapshot:ID or segment:NUMBER")
        }
    }
}

extension RetentionDecision {
    /// Whether the item is not left as it was.
    var isChange: Bool { action == .deprecate || action == .reclaim }

    fileprivate var word: String {
        switch action {
        case .keep: "keep"
        case .deprecate: "deprecate"
        case .wait: "wait"
        case .reclaim: "reclaim"
        }
    }
}

extension [RetentionDecision] {
    /// For people: what is done, with what, in which file, its bytes, and why; one line each.
    var lines: [String] {
        let rows = map { [$0.word, $0.item.spelling, $0.file, "\($0.byteCount)", $0.reason] }
        return Table.lines(rows, left: [0, 1, 2, 4])
    }
}

extension Answer {
    mutating func decisions(_ name: StaticString, _ decisions: [RetentionDecision]) {
        objects(name, decisions) { decision, answer in
            answer.text("action", decision.word)
            answer.text("item", decision.item.spelling)
            answer.text("file", decision.file)
            answer.number("bytes", decision.byteCount)
            answer.text("reason", decision.reason)
        }
    }
}
