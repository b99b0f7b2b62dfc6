import CommitLog
import Rootfast
import SpecSupport

/// All that a scenario's store ever was, and what its log said of it: the oracle of time travel.
struct Past {
    /// The newest state at each sequence.
    private(set) var states: [UInt64: StoreModel] = [0: StoreModel()]
    /// Sequences at which a flush is known to end.
    private(set) var ends: Set<UInt64> = [0]
    /// What each segment that there ever was held.
    private var segments: [UInt64: LogTimes] = [:]

    /// To be called after each action.
    mutating func note(_ scenario: Scenario) throws {
        let model = scenario.model
        states[model.sequence] = model
        if scenario.durable == scenario.states.count - 1 { ends.insert(model.sequence) }
        try noteLog(scenario.disk)
    }

    /// To be called after a crash: what was lost never was.
    mutating func noteCrash(_ scenario: Scenario) throws {
        let sequence = scenario.model.sequence
        states = states.filter { $0.key <= sequence }
        ends = ends.filter { $0 <= sequence }
        let newest = try Self.present(on: scenario.disk).max()!
        segments = segments.filter { $0.key < newest }
        try noteLog(scenario.disk)
        states[sequence] = scenario.model
        ends.insert(sequence)
    }

    private mutating func noteLog(_ disk: SimulatedDisk) throws {
        let known = segments.keys.max() ?? 0
        // Those before the newest do not change any more; in one action it may have been left behind.
        for number in try Self.present(on: disk) where number >= known || segments[number] == nil {
            segments[number] = LogTimes(disk.files[LogNames.segment(number)]!)
        }
    }

    static func present(on disk: SimulatedDisk) throws -> Set<UInt64> {
        Set(try disk.list(LogNames.folder).compactMap { LogNames.segmentNumber($0) })
    }

    /// The segment that holds a commit; the first for the store's beginning.
    private func home(of sequence: UInt64) -> UInt64 {
        segments.filter { $0.value.sequenceBefore < sequence }.keys.max() ?? 1
    }

    /// Whether a snapshot that is there, and all of the log from it on, lead to the state at a sequence.
    func isRetained(_ sequence: UInt64, in snapshots: [SnapshotInfo], _ present: Set<UInt64>) -> Bool {
        let home = home(of: sequence)
        func leads(from segment: UInt64) -> Bool { segment > home || (segment...home).allSatisfy(present.contains) }
        return leads(from: 1)
            || snapshots.contains {
                $0.isVerified && ($0.sequence == sequence || $0.sequence < sequence && leads(from: $0.segment))
            }
    }

    /// The last commit of the last flush that was written no later than a time, and its segment.
    func last(at time: UInt64) -> (sequence: UInt64, segment: UInt64) {
        let all = segments.sorted { $0.key < $1.key }.flatMap { number, times in
            times.flushes.map { (time: $0.time, sequence: $0.sequence, segment: number) }
        }
        return all.last { $0.time <= time }.map { ($0.sequence, $0.segment) } ?? (0, 1)
    }

    /// When flushes were written.
    var times: [UInt64] { segments.values.flatMap(\.flushes).map(\.time).sorted() }
}

/// The times and sequences of a segment's flushes, read by the looks of its lines.
private struct LogTimes {
    private(set) var sequenceBefore: UInt64 = 0
    private(set) var flushes: [(time: UInt64, sequence: UInt64)] = []

    init(_ segment: [UInt8]) {
        var sequence: UInt64 = 0
        for line in segment.split(separator: 0x0a) where line.first == UInt8(ascii: "{") {
            // All that is sought stands before the data, but for the crc, which is last.
            let text = String(decoding: line.prefix(240), as: UTF8.self)
            if let number = Self.number(behind: "\"seq\":", in: text) { sequence = number }
            if text.hasPrefix("{\"op\":\"SEGMENT\"") {
                sequenceBefore = sequence
                // By then all before it was written, also what was sealed and reclaimed in one go.
                if let time = Self.number(behind: "\"timestamp\":", in: text) { flushes.append((time, sequence)) }
            } else if Self.hasEnd(line), let time = Self.number(behind: "\"timestamp\":", in: text) {
                flushes.append((time, sequence))
            }
        }
    }

    private static func hasEnd(_ line: ArraySlice<UInt8>) -> Bool {
        String(decoding: line.suffix(18), as: UTF8.self).hasPrefix(",\"crc\":\"")
    }

    /// The number behind a field's name, without its point.
    private static func number(behind name: String, in text: String) -> UInt64? {
        guard let range = text.firstRange(of: name) else { return nil }
        return UInt64(text[range.upperBound...].prefix { $0.isNumber || $0 == "." }.filter(\.isNumber))
    }
}
