import CommitLog
package import Rootfast

/// Generators of scenarios.
extension Choices {
    /// Options that make a store go through all it can in a few dozen commits.
    package mutating func options() -> Options {
        var options = Options()
        options.maintainsItself = false
        options.attemptsMax = 1
        options.segmentBytesMax = pick([4096, 8192, 32_768])
        options.memoryBytesMax = 1 << 20
        options.durability = bool() ? .async(interval: .seconds(1)) : .sync
        options.compaction = .none
        options.compaction.commitCount = pick([nil, 3, 10])
        options.retention.grace = .zero
        options.retention.snapshots = .init(count: int(in: 1...2))
        options.retention.segments = .init(count: 0)
        options.snapshotsOnClose = bool()
        return options
    }

    /// Something that can be done in the scenario's state.
    package mutating func action(in scenario: Scenario) -> Scenario.Action {
        let inDoubt = scenario.model.inDoubt.keys.sorted()
        let kind = pick(weighted: [
            (12, "write"), (3, "vote"), (3, "decide"), (2, "flush"), (12, "step"), (1, "snapshot"), (1, "compact"),
            (1, "retain"), (1, "seal"), (1, "reopen"),
        ])
        switch kind {
        case "vote": return .vote(scenario.freshID(), changes(1...3, in: scenario))
        case "decide" where !inDoubt.isEmpty: return .decide(pick(inDoubt), commits: bool())
        case "flush": return .flush
        case "step": return .step
        case "snapshot": return .snapshot
        case "compact": return .compact
        case "retain": return .retain
        case "seal": return .seal
        case "reopen": return .reopen
        default:
            let id = oneIn(6) ? scenario.freshID() : nil
            return .write(changes(1...5, in: scenario), id: id, oneIn(4) ? .sync : .none)
        }
    }

    /// Changes of different keys that no transaction in doubt holds.
    private mutating func changes(_ counts: ClosedRange<Int>, in scenario: Scenario) -> [Change] {
        var changes: [Change] = []
        for change in array(counts, of: { $0.change() })
        where scenario.model.holder(of: change.key) == nil && !changes.contains(where: { $0.key == change.key }) {
            changes.append(change)
        }
        // A key of its own, so that there is one.
        return changes.isEmpty ? [Change(key: Array("own \(scenario.freshID())".utf8), value: [])] : changes
    }

    private mutating func change() -> Change {
        let key = Array("key \(below(40))".utf8)
        let count = pick(weighted: [(8, 0...40), (2, 100...300), (1, 700...800), (1, 2000...2100)])
        guard !oneIn(5) else { return Change(key: key, value: nil) }
        return Change(key: key, value: Array(repeating: UInt8(below(256)), count: int(in: count)))
    }
}

extension Scenario {
    fileprivate func freshID() -> String {
        idCount += 1
        return "t\(idCount)"
    }
}
