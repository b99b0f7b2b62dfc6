import CommitLog
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// Damage: whatever happens to a store's files while nobody has it open is refused with its place, or dropped and told as a
/// torn tail where nothing shows that it was durable, or makes no difference. What opening does not come by is found by the
/// read that does, or by `check`.
@Suite struct DamageLawTests {
    @Test func `every bit, length and missing, copied, swapped or older file of a small store that was closed`() throws
    {
        let (scenario, versions) = try Specimen.small()
        let specimen = try Specimen(scenario, closing: true)
        var reach = Reach()
        for (name, bytes) in specimen.files.sorted(by: { $0.key < $1.key }) {
            try Self.flipEveryBit(of: name, bytes, in: specimen, &reach)
        }
        try Self.tryAllElse(specimen, versions, &reach)
        try Self.report(
            "closed", reach,
            reaching: [
                "bits flipped": specimen.files.values.reduce(0) { $0 + 8 * $1.count }, "flip: refused by open": 10_000,
                "flip: seen by a read": 1_000, "flip: seen by check": 1_000,
                "flip: an outcome differs, seen by check": 100, "flip: harmless": 1_000, "cut: refused by open": 1_000,
            ])
    }

    /// Of the state file and its log one bit of each byte, as all bits of the state file are flipped above.
    @Test func `the same of a small store that was killed with a snapshot in SQLite's log`() throws {
        let (scenario, versions) = try Specimen.small()
        let specimen = try Specimen.killed(scenario)
        var reach = Reach()
        for (name, bytes) in specimen.files.sorted(by: { $0.key < $1.key }) {
            let isDatabase = name.hasPrefix("state.sqlite")
            try Self.flipEveryBit(of: name, bytes, in: specimen, bitsPerByte: isDatabase ? 1 : 8, &reach)
        }
        try Self.tryAllElse(specimen, versions, &reach)
        try Self.report(
            "killed", reach,
            reaching: [
                "flip: torn tail": 1_000, "flip: torn tail without a flush": 1, "cut: torn tail": 100, "gone on": 50,
            ])
    }

    @Test func `any damage to the files of any store`() throws {
        try checkLaw("damage", cases: 200, reaching: Self.reaching) { choices, reach in
            let scenario = try Scenario(choices.options())
            var versions = Damage.Versions()
            // A store that holds nothing may be taken for one that was never made.
            try expect(scenario.perform(.write([Change(key: [0x61], value: [])], id: nil, .sync)) == .done)
            for _ in 0..<choices.int(in: 1...60) {
                let action = choices.action(in: scenario)
                choices.note("\(action)")
                try expect(scenario.perform(action) == .done, "\(action)")
                versions.note(scenario.disk.files)
            }
            let specimen = try Specimen(scenario, closing: choices.bool())
            for _ in 0..<Self.damageCount {
                let damage = choices.damage(to: specimen.files, versions)
                choices.note("\(damage)")
                let judged = try specimen.judge(damage)
                reach.count("\(damage.kind): \(judged.finding.rawValue)")
                guard judged.finding.changesNothing, choices.oneIn(4) else { continue }
                reach.count("gone on", try specimen.goOn(from: judged) ? 1 : 0)
            }
        }
    }

    private static let damageCount = 50
    private static let reaching = [
        "flip: refused by open": 1_000, "flip: seen by a read": 8, "flip: seen by check": 200,
        "flip: an outcome differs, seen by check": 20, "flip: snapshot passed over": 10, "flip: torn tail": 20,
        "flip: torn tail without a flush": 30, "cut: refused by open": 500, "cut: torn tail": 20,
        "missing: refused by open": 300, "copy: refused by open": 100, "swap: refused by open": 300,
        "older: refused by open": 100, "older: snapshot passed over": 10,
        "older: cut off where nothing vouches for it": 20, "gone on": 200,
    ]

    // MARK: - What is done to it

    /// Flips every bit on its own. Where many zeros follow each other they are flipped together, and on their own only
    /// where that makes a difference: most of a database's page is unused.
    private static func flipEveryBit(
        of name: String, _ bytes: [UInt8], in specimen: Specimen, bitsPerByte: Int = 8, _ reach: inout Reach
    ) throws {
        var offset = 0
        while offset < bytes.count {
            let end = bytes[offset...].firstIndex { $0 != 0 } ?? bytes.count
            if end - offset >= 32 {
                try flipTogether(offset..<end, of: name, bitsPerByte, in: specimen, &reach)
                offset = end
            } else {
                try flipBits(of: name, offset, bitsPerByte, in: specimen, &reach)
                offset += 1
            }
        }
    }

    private static func flipTogether(
        _ range: Range<Int>, of name: String, _ bitsPerByte: Int, in specimen: Specimen, _ reach: inout Reach
    ) throws {
        guard range.count > 8 else {
            for offset in range { try flipBits(of: name, offset, bitsPerByte, in: specimen, &reach) }
            return
        }
        let finding = try judge(.flip(name, range, 0xff), in: specimen, &reach)
        guard !finding.changesNothing else {
            reach.count("bits flipped", 8 * range.count)
            return
        }
        let middle = range.lowerBound + range.count / 2
        try flipTogether(range.lowerBound..<middle, of: name, bitsPerByte, in: specimen, &reach)
        try flipTogether(middle..<range.upperBound, of: name, bitsPerByte, in: specimen, &reach)
    }

    private static func flipBits(
        of name: String, _ offset: Int, _ count: Int, in specimen: Specimen, _ reach: inout Reach
    ) throws {
        for bit in count == 8 ? 0..<8 : (offset % 8)..<(offset % 8 + 1) {
            try judge(.flip(name, offset..<(offset + 1), 1 << UInt8(bit)), in: specimen, &reach)
            reach.count("bits flipped")
        }
    }

    /// Every truncation, and all that can happen to files as a whole.
    private static func tryAllElse(
        _ specimen: Specimen, _ versions: Damage.Versions, _ reach: inout Reach
    ) throws {
        for (name, bytes) in specimen.files.sorted(by: { $0.key < $1.key }) {
            for count in lengths(of: bytes) { try judge(.cut(name, count), in: specimen, &reach) }
        }
        for damage in wholeFiles(of: specimen, versions) { try judge(damage, in: specimen, &reach) }
    }

    /// Every length that cuts a small file; of a large one those around its sectors' ends.
    private static func lengths(of bytes: [UInt8]) -> [Int] {
        let usedCount = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
        guard usedCount > 8192 else { return Array(0..<min(usedCount + 16, bytes.count)) }
        return stride(from: 0, to: bytes.count, by: 512).flatMap { [$0, $0 + 1, $0 + 511] }.filter { $0 < bytes.count }
    }

    /// Everything that can happen to files as a whole.
    private static func wholeFiles(of specimen: Specimen, _ versions: Damage.Versions) -> [Damage] {
        let names = specimen.files.keys.sorted()
        let others = Set(versions.names).subtracting(names).sorted()
        var damages: [Damage] = []
        for name in names {
            damages.append(.missing(name))
            for other in names + others + Damage.newNames where other != name {
                damages.append(.copy(name, over: other))
            }
            for other in names where other > name { damages.append(.swap(name, other)) }
            for bytes in versions[name] where bytes != specimen.files[name] {
                damages.append(.older(name, bytes))
            }
        }
        for name in others { damages += versions[name].map { .older(name, $0) } }
        return damages
    }

    private static func report(_ name: String, _ reach: Reach, reaching: [String: Int]) throws {
        print("law: damage, every one, \(name) | all | \(reach.summary)")
        for (what, times) in reaching { try reach.require(reached: what, atLeast: times) }
    }

    @discardableResult
    private static func judge(
        _ damage: Damage, in specimen: Specimen, _ reach: inout Reach
    ) throws -> Specimen.Finding {
        do {
            let judged = try specimen.judge(damage)
            reach.count("\(damage.kind): \(judged.finding.rawValue)")
            if judged.finding == .harmless {
                reach.count("harmless")
                // To go on costs several times as much.
                if reach["harmless"] % 16 == 0 { reach.count("gone on", try specimen.goOn(from: judged) ? 1 : 0) }
            }
            return judged.finding
        } catch {
            Issue.record("\(damage): \(error)")
            throw error
        }
    }
}
