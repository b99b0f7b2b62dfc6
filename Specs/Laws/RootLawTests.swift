import CommitLog
import Foundation
import Hashing
import Rootfast
import SpecSupport
import Testing

/// The root: it is what the definition says of the content, after everything that can be done to a store, and it depends on
/// nothing but the content.
@Suite struct RootLawTests {
    @Test func `after each action the root is the definition's for what the store should hold`() throws {
        let reaching = [
            "action": 10_000, "votes open": 1_000, "from a snapshot": 100, "snapshot": 200, "nothing left": 20,
        ]
        try checkLaw("root: actions", cases: 250, reaching: reaching) { choices, reach in
            let scenario = try Scenario(choices.options())
            for _ in 0..<60 {
                let action = choices.action(in: scenario)
                choices.note("\(action)")
                try expect(scenario.perform(action) == .done, "\(action)")
                try expectEqual(scenario.store.root, scenario.model.root, "after \(action):")
                reach.count("action")
                if !scenario.model.inDoubt.isEmpty { reach.count("votes open") }
                if scenario.model.entries.isEmpty { reach.count("nothing left") }
                switch action {
                case .reopen where scenario.store.recovery.snapshotID != nil: reach.count("from a snapshot")
                case .snapshot, .compact: reach.count("snapshot")
                default: break
                }
            }
        }
    }

    @Test func `whatever the history, the same content has the same root, and Python says the same`() throws {
        let python = try PythonOracle.start(Self.oracle, [Self.referenceFolder])
        let reaching = [
            "no key": 10, "key of 1024 bytes": 10, "detour": 500, "maintenance": 300, "from a snapshot": 30,
            "asked Python": python == nil ? 0 : 200,
        ]
        try checkLaw("root: histories", cases: 200, reaching: reaching) { choices, reach in
            let content = Content(choices.keys(0...40).map { ($0, choices.filler(0...3_000, edges: [768])) })
            let root = content.model.root
            for _ in 0..<3 {
                let found = try choices.history(leadingTo: content, &reach)
                try expectEqual(found, root, "by another history:")
            }
            if content.pairs.isEmpty { reach.count("no key") }
            if content.pairs.contains(where: { $0.key.count == 1_024 }) { reach.count("key of 1024 bytes") }
            guard let python else { return }
            try expectEqual(python.answer(to: content.line), "\(root)", "Python:")
            reach.count("asked Python")
        }
    }

    @Test func `pages that leave memory and come back change nothing`() throws {
        let reaching = ["larger than memory": 4, "from a snapshot": 20, "detour": 200]
        try checkLaw("root: paging", cases: 6, reaching: reaching) { choices, reach in
            let count = 4_000 + choices.below(2_000)
            let keys = Set((0..<count).map { _ in Array("user:\(choices.below(1 << 20))".utf8) })
            let content = Content(
                keys.sorted { $0.lexicographicallyPrecedes($1) }.map { ($0, choices.filler(400...700)) })
            let root = content.model.root
            for _ in 0..<2 { try expectEqual(choices.history(leadingTo: content, &reach), root, "by another history:") }
        }
    }

    @Test func `copies have the root of their original`() throws {
        let reaching = ["backup": 20, "restored": 20]
        try checkLaw("root: copies", cases: 20, reaching: reaching) { choices, reach in
            let content = Content(choices.keys(0...40).map { ($0, choices.filler(0...3_000)) })
            let root = content.model.root
            let (original, backup, restored) = (TemporaryFolder(), TemporaryFolder(), TemporaryFolder())
            let store = try Store.open(original.path, mode: .createIfMissing)
            for pair in choices.shuffled(content.pairs) {
                try store.write { try $0.put(pair.key, pair.value) }
                if choices.oneIn(16) { try store.maintenance.compact() }
            }
            try expectEqual(store.backup(to: backup.path).root, root, "the backup:")
            reach.count("backup")
            try store.close()
            try expectEqual(Store.restore(from: backup.path, to: restored.path).root, root, "the restored store:")
            reach.count("restored")
            for folder in [backup, restored] {
                let report = try Store.check(folder.path)
                try expect(report.verdict == .sound && report.root == root, "\(report)")
            }
        }
    }

    private static let laws = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let oracle = laws.appendingPathComponent("root_oracle.py").path
    private static let referenceFolder = laws.deletingLastPathComponent().appendingPathComponent("blackbox").path
}

/// What a store is to hold in the end, in the order of keys.
private struct Content {
    let pairs: [(key: [UInt8], value: [UInt8])]

    init(_ pairs: [([UInt8], [UInt8])]) { self.pairs = pairs.map { (key: $0.0, value: $0.1) } }

    var model: StoreModel {
        var model = StoreModel()
        model.commit(pairs.map { Change(key: $0.key, value: $0.value) })
        return model
    }

    var line: String {
        func hex(_ bytes: [UInt8]) -> String { bytes.map { String(format: "%02x", $0) }.joined() }
        return pairs.map { "\(hex($0.key)):\(hex($0.value))" }.joined(separator: ",")
    }
}

extension Choices {
    /// Brings a new store to hold the content and nothing else: in any order, in transactions of any size, by way of other
    /// values and other keys, with whatever maintenance, closings and kills between. Returns its root.
    fileprivate mutating func history(leadingTo content: Content, _ reach: inout Reach) throws -> Digest {
        var options = options()
        options.segmentBytesMax = pick([4096, 1 << 20])
        let disk = SimulatedDisk()
        var place = (disk: disk, store: try Scenario.open(disk, options, creating: true))
        var steps = shuffled(content.pairs.map { Change(key: $0.key, value: $0.value) })
        for _ in 0...content.pairs.count / 4 { addDetour(to: &steps) }
        reach.count("detour", content.pairs.count / 4 + 1)
        var start = 0
        while start < steps.count {
            let end = min(steps.count, start + count(in: 1...(content.pairs.count > 1000 ? 200 : 8)))
            try place.store.write { tx in
                for step in steps[start..<end] {
                    if let value = step.value { try tx.put(step.key, value) } else { try tx.delete(step.key) }
                }
            }
            start = end
            if oneIn(4) { place = try interlude(place, options, &reach) }
        }
        let status = try place.store.status()
        if content.pairs.count > 1000, status.memoryBytes < content.pairs.reduce(0, { $0 + $1.value.count }) {
            reach.count("larger than memory")
        }
        return place.store.root
    }

    /// Another value that is overwritten later, or another key that is deleted again.
    private mutating func addDetour(to steps: inout [Change]) {
        let key = key(like: steps.prefix(40).map(\.key))
        let change = Change(key: key, value: filler(0...1_000))
        if let index = steps.firstIndex(where: { $0.key == key }) {
            steps.insert(change, at: below(index + 1))
        } else {
            steps.insert(contentsOf: [change, Change(key: key, value: nil)], at: below(steps.count + 1))
        }
    }

    /// Something that does not change what the store holds.
    private mutating func interlude(
        _ place: (disk: SimulatedDisk, store: Store), _ options: Options, _ reach: inout Reach
    ) throws -> (disk: SimulatedDisk, store: Store) {
        var (disk, store) = place
        switch below(5) {
        case 0: _ = try store.maintenance.takeSnapshot()
        case 1: _ = try store.maintenance.compact()
        case 2: try store.maintenance.seal()
        case 3:
            try store.close()
            store = try Scenario.open(disk, options)
        default:
            try store.flush()
            disk = disk.afterKill()
            store = try Scenario.open(disk, options)
        }
        reach.count("maintenance")
        if store !== place.store, store.recovery.snapshotID != nil { reach.count("from a snapshot") }
        return (disk, store)
    }
}
