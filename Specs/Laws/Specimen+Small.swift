import CommitLog
import Rootfast
import SpecSupport

extension Specimen {
    /// A store with whatever a store can have, in a few dozen records, and what each file held after each step.
    static func small() throws -> (Scenario, Damage.Versions) {
        var options = Options()
        (options.maintainsItself, options.attemptsMax, options.snapshotsOnClose) = (false, 1, false)
        (options.segmentBytesMax, options.memoryBytesMax) = (4096, 1 << 20)
        options.compaction = .none
        options.retention.grace = .zero
        options.retention.snapshots = .init(count: 1)
        options.retention.segments = .init(count: 0)
        let scenario = try Scenario(options)
        var versions = Damage.Versions()
        for action in actions {
            try expect(scenario.perform(action) == .done, "\(action)")
            versions.note(scenario.disk.files)
        }
        return (scenario, versions)
    }

    /// Kills the small store one commit behind another snapshot, which SQLite could not bring from its log into the file.
    static func killed(_ scenario: Scenario) throws -> Specimen {
        scenario.disk.setFault { call, name in call == "pwrite" && name == "state.sqlite" ? 5 : nil }
        try expect(scenario.perform(.snapshot) == .done)
        scenario.disk.setFault(nil)
        let changes = [Change(key: Array("behind".utf8), value: Array("the snapshot".utf8))]
        try expect(scenario.perform(.write(changes, id: nil, .sync)) == .done)
        try expect(scenario.disk.files["state.sqlite-wal"]?.isEmpty == false, "there is nothing in SQLite's log")
        return try Specimen(scenario, closing: false)
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
}
