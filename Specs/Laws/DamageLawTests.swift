import CommitLog
import Rootfast
import SeededRandom
import SpecSupport
import Testing
import Foundation
let collects = ProcessInfo.processInfo.environment["COLLECTS"] != nil

/// Damage: whatever happens to a store's files while it is closed is refused with its place, or dropped and told as a torn
/// tail where nobody can have been told of what is missing, or makes no difference. A damage that opening does not come by
/// is found by the read that does, or by `check`.
@Suite struct DamageLawTests {
    @Test(arguments: [false, true])
    func `every bit, every length, every missing, copied, swapped or older file of a small store`(
        isClosed: Bool
    ) throws {
        let (specimen, versions) = try Self.small(closing: isClosed)
        var reach = Reach()
        for (name, bytes) in specimen.files.sorted(by: { $0.key < $1.key }) {
            print("\(name): \(bytes.count)")
            try Self.flipEveryBit(of: name, bytes, in: specimen, &reach)
            for count in Self.lengths(of: bytes) {
                try Self.judge(.cut(name, count), in: specimen, &reach)
            }
        }
        for damage in Self.wholeFiles(of: specimen, versions) { try Self.judge(damage, in: specimen, &reach) }
        print("law: damage, every one, \(isClosed ? "closed" : "killed") | \(reach.summary)")
    }

    @Test func `any damage to the files of any store`() throws {
        try checkLaw("damage", cases: 200, reaching: Self.reaching) { choices, reach in
            let scenario = try Scenario(choices.options())
            var versions: [String: [[UInt8]]] = [:]
            for _ in 0..<choices.int(in: 1...60) {
                let action = choices.action(in: scenario)
                choices.note("\(action)")
                try expect(scenario.perform(action) == .done, "\(action)")
                Self.note(scenario.disk.files, in: &versions)
            }
            let specimen = try Specimen(scenario, closing: choices.bool())
            for _ in 0..<Self.damageCount {
                let damage = choices.damage(to: specimen.files, versions)
                choices.note("\(damage)")
                if collects {
                    do { _ = try specimen.judge(damage) } catch { print("FOUND: \(specimen.isClosed) \(damage): \(error)"); continue }
                }
                let judged = try specimen.judge(damage)
                reach.count("\(damage.kind): \(judged.finding.rawValue)")
                guard judged.finding.changesNothing, choices.oneIn(4) else { continue }
                if collects {
 do { _ = try specimen.goOn(from: judged) } catch { print("FOUND GOING ON: \(specimen.isClosed) \(damage): \(error)") }
 continue }
                reach.count("gone on", try specimen.goOn(from: judged) ? 1 : 0)
            }
        }
    }

    private static let damageCount = 50
    private static let reaching: [String: Int] = [:]

    // MARK: - A small store

    /// A store with whatever a store can have, in a few dozen records, and what each file held after each step.
    private static func small(closing: Bool) throws -> (Specimen, [String: [[UInt8]]]) {
        var options = Options()
        (options.maintainsItself, options.attemptsMax, options.snapshotsOnClose) = (false, 1, false)
        (options.segmentBytesMax, options.memoryBytesMax) = (4096, 1 << 20)
        options.compaction = .none
        options.retention.grace = .zero
        options.retention.snapshots = .init(count: 1)
        options.retention.segments = .init(count: 0)
        let scenario = try Scenario(options)
        var versions: [String: [[UInt8]]] = [:]
        for action in actions {
            try expect(scenario.perform(action) == .done, "\(action)")
            note(scenario.disk.files, in: &versions)
        }
        return (try Specimen(scenario, closing: closing), versions)
    }

    private static func note(_ files: Damage.Files, in versions: inout [String: [[UInt8]]]) {
        for (name, bytes) in files where versions[name]?.last != bytes { versions[name, default: []].append(bytes) }
    }

    private static var actions: [Scenario.Action] {
        func write(_ key: String, _ value: String, id: String? = nil) -> Scenario.Action {
            .write([Change(key: Array(key.utf8), value: Array(value.utf8))], id: id, .sync)
        }
        func vote(_ id: String, _ key: String) -> Scenario.Action {
            .vote(id, [Change(key: Array(key.utf8), value: Array("voted".utf8))])
        }
        return [
            write("a", "1", id: "first"), write("long", String(repeating: "x", count: 800)), vote("decided", "b"),
            .decide("decided", commits: true), vote("given up", "c"), .decide("given up", commits: false), .compact,
            write("d", "{\"json\":true}", id: "second"), vote("open", "e"), .snapshot, write("a", "2"),
            .write([Change(key: Array("d".utf8), value: nil)], id: "third", .sync), .compact, vote("late", "f"),
            write("g", "\u{1}"), write("a", "3", id: "last"),
        ]
    }

    // MARK: - What is done to it

    /// Flips every bit on its own. Where many zeros follow each other they are flipped together, and on their own only
    /// where that makes a difference: most of a database's page is unused.
    private static func flipEveryBit(
        of name: String, _ bytes: [UInt8], in specimen: Specimen, _ reach: inout Reach
    ) throws {
        var offset = 0
        while offset < bytes.count {
            let end = bytes[offset...].firstIndex { $0 != 0 } ?? bytes.count
            if end - offset >= 32 {
                try flipTogether(offset..<end, of: name, in: specimen, &reach)
                offset = end
            } else {
                try flipEachBit(of: name, offset, in: specimen, &reach)
                offset += 1
            }
        }
    }

    private static func flipTogether(
        _ range: Range<Int>, of name: String, in specimen: Specimen, _ reach: inout Reach
    ) throws {
        guard range.count > 8 else {
            for offset in range { try flipEachBit(of: name, offset, in: specimen, &reach) }
            return
        }
        let finding = try judge(.flip(name, range, 0xff), in: specimen, &reach)
        guard !finding.changesNothing else {
            reach.count("bits flipped", 8 * range.count)
            return
        }
        let middle = range.lowerBound + range.count / 2
        try flipTogether(range.lowerBound..<middle, of: name, in: specimen, &reach)
        try flipTogether(middle..<range.upperBound, of: name, in: specimen, &reach)
    }

    private static func flipEachBit(
        of name: String, _ offset: Int, in specimen: Specimen, _ reach: inout Reach
    ) throws {
        for bit in UInt8(0)..<8 {
            try judge(.flip(name, offset..<(offset + 1), 1 << bit), in: specimen, &reach)
            reach.count("bits flipped")
        }
    }

    /// Every length of a small file; of a large one those around its sectors' ends.
    private static func lengths(of bytes: [UInt8]) -> [Int] {
        guard bytes.count > 8192 else { return Array(0..<bytes.count) }
        return stride(from: 0, to: bytes.count, by: 512).flatMap { [$0, $0 + 1, $0 + 511] }
    }

    /// Everything that can happen to files as a whole.
    private static func wholeFiles(of specimen: Specimen, _ versions: [String: [[UInt8]]]) -> [Damage] {
        let names = specimen.files.keys.sorted()
        let others = Set(versions.keys).subtracting(names).sorted()
        var damages: [Damage] = []
        for name in names {
            damages.append(.missing(name))
            for other in names + others + Damage.newNames where other != name { damages.append(.copy(name, over: other)) }
            for other in names where other > name { damages.append(.swap(name, other)) }
            for bytes in versions[name] ?? [] where bytes != specimen.files[name] { damages.append(.older(name, bytes)) }
        }
        for name in others { damages += versions[name]!.map { .older(name, $0) } }
        return damages
    }

    @discardableResult
    private static func judge(
        _ damage: Damage, in specimen: Specimen, _ reach: inout Reach
    ) throws -> Specimen.Finding {
        do {
            let finding = try specimen.judge(damage).finding
            reach.count("\(damage.kind): \(finding.rawValue)")
            return finding
        } catch {
            print("FOUND: \(damage): \(error)")
            return .refused
        }
    }
}
