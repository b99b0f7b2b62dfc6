import CommitLog
import SpecSupport

/// What a crash subject told of its steps, and so what its store may hold.
///
/// A step that ended well took effect, one that was refused did not, and of one that was not answered, or whose end is
/// unknown, either may be. Anything else that the store holds is a lie.
struct SubjectStory {
    /// What the store may hold.
    private(set) var models: Set<StoreModel>
    private(set) var acknowledged = 0
    /// The codes with which steps were refused.
    private(set) var refusals: [String] = []
    private(set) var unknown = 0
    private(set) var isClosed = false
    /// The error with which the subject gave up.
    private(set) var ended: String?

    /// - Parameter models: what the store may have held before.
    init(_ output: String, from models: Set<StoreModel> = [StoreModel()]) throws {
        self.models = models
        var step: [String]?
        // A kill may have cut the last line.
        for line in output[..<(output.lastIndex(of: "\n") ?? output.startIndex)].split(separator: "\n") {
            let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            switch words[0] {
            case "begin": break
            case "commit", "vote", "decide", "do": step = words
            case "ok", "refused", "unknown":
                self.end(try unwrap(step, "an answer to nothing: \(line)"), words)
                step = nil
            case "closed": isClosed = true
            case let word where word.hasPrefix("ended "): ended = String(word.dropFirst(6))
            // SQLite maps a file of its own, which a file system takes along when it goes: as a power loss takes all.
            case "died of signal 7": ended = line.description
            default: try expect(false, "not a typed error: \(line)")
            }
        }
        if let step { self.end(step, [""]) }
        try expect(!self.models.isEmpty, "what the store answered contradicts itself:\n\(output)")
    }

    private mutating func end(_ step: [String], _ answer: [String]) {
        switch answer[0] {
        case "ok":
            models = Set(models.compactMap { Self.after(step, $0) })
            acknowledged += 1
        case "refused": refusals.append(answer[1])
        default:
            if answer[0] == "unknown" { unknown += 1 }
            models.formUnion(models.compactMap { Self.after(step, $0) })
        }
    }

    /// What a step makes of a model; `nil` if it cannot be taken there.
    private static func after(_ step: [String], _ model: StoreModel) -> StoreModel? {
        var model = model
        let id = step[1]
        switch step[0] {
        case "commit": model.commit(changes(step), id: id)
        case "vote": model.vote(id, changes(step))
        case "decide":
            guard model.inDoubt[id] != nil else { return nil }
            model.decide(id, commits: step[2] == "commit")
        default: break
        }
        return model
    }

    private static func changes(_ step: [String]) -> [Change] {
        step.dropFirst(2).map { word in
            let parts = word.split(separator: "=", maxSplits: 1)
            return Change(key: Array(parts[0].utf8), value: Array(parts[1].utf8))
        }
    }

    private func unwrap(_ step: [String]?, _ message: String) throws -> [String] {
        try expect(step != nil, message)
        return step!
    }
}
