import CommitLog
import Rootfast
import SpecSupport

/// Generators of scenarios in which the state does not fit in memory.
extension Choices {
    /// Options of a store that has memory for a part of its state only: snapshots are due often, and pages leave.
    mutating func crampedOptions() -> Options {
        var options = options()
        options.memoryBytesMax = pick([16 << 10, 32 << 10, 64 << 10])
        options.segmentBytesMax = pick([8192, 32_768])
        return options
    }

    /// What can be done in the scenario's state; now and then many keys change at once.
    mutating func busyAction(in scenario: Scenario) -> Scenario.Action {
        guard oneIn(4) else { return action(in: scenario) }
        let changes = manyChanges(in: scenario)
        // A write of nothing leaves no record.
        guard !changes.isEmpty else { return action(in: scenario) }
        return .write(changes, id: nil, oneIn(4) ? .sync : .none)
    }

    /// Changes of keys that no transaction in doubt holds, all alike, side by side or scattered.
    private mutating func manyChanges(in scenario: Scenario) -> [Change] {
        let (count, first, stride) = (int(in: 1...120), below(Self.keyCount), pick([1, 3, 7, 37]))
        let isDeletion = oneIn(6)
        let value = Array(repeating: UInt8(below(256)), count: int(in: 0...300))
        return (0..<count).map { Array("key \((first + $0 * stride) % Self.keyCount)".utf8) }
            .filter { scenario.model.holder(of: $0) == nil }
            .map { Change(key: $0, value: isDeletion ? nil : value) }
    }

    /// No multiple of any stride.
    private static let keyCount = 500
}

extension Scenario {
    /// Does something on a disk that is well.
    func act(_ action: Action) throws {
        try expectEqual(try perform(action), .done, "\(action):")
    }
}
