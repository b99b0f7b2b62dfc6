import Rootfast
import SQLite
import SpecSupport

extension FuzzSubject {
    /// The state file of a store, edited by its bytes and by its rows: the store comes back in the state that it was in,
    /// or what is wrong is told, with a place, by opening, by the read that comes to it, or by `check`.
    ///
    /// An input is a list of edits (see `StateFileEdit`).
    static let stateFile = FuzzSubject(
        name: "state-file", seeds: { StateFileEdit.seeds }, words: { [] }, check: StateFileLaw.check)
}

private enum StateFileLaw {
    private static let editCountMax = 16

    @Sendable static func check(_ input: [UInt8]) throws -> String {
        var reader = InputReader(input)
        var files = StateFileSample.shared.files
        var edits: [StateFileEdit] = []
        while !reader.isAtEnd, edits.count < editCountMax { edits.append(StateFileEdit(&reader)) }
        try StateFileEdit.apply(edits, to: &files)
        return edits.contains(where: \.isForging) ? try judgeForged(files) : try judge(files)
    }

    /// A snapshot whose hash was made right may say what never was: all there is to ask for is an end in words.
    private static func judgeForged(_ files: [String: [UInt8]]) throws -> String {
        _ = try Store.check(SimulatedDisk(files: files), isBeingWritten: false, .deterministic())
        do {
            let store = try Scenario.open(SimulatedDisk(files: files), StateFileSample.shared.options)
            try store.view.scan { _, _ in true }
            try store.write { try $0.put("a", "2") }
            _ = try store.maintenance.compact()
            return "forged"
        } catch is StoreError {
            return "forged, refused"
        }
    }

    private static func judge(_ files: [String: [UInt8]]) throws -> String {
        let sample = StateFileSample.shared
        let report = try Store.check(SimulatedDisk(files: files), isBeingWritten: false, .deterministic())
        let isDamaged = report.verdict == .damaged
        try expect(!isDamaged || report.damage?.place?.file.isEmpty == false, "damage without a place")
        do {
            let store = try Scenario.open(SimulatedDisk(files: files), sample.options)
            try expectEqual(StoreFace(store), sample.face, "silently another state:")
            try store.expect(entriesOf: sample.model)
            if isDamaged { return "seen by check" }
            try expect(report.root == store.root && report.sequence == store.view.sequence, "check sees another state")
            try store.expect(outcomesOf: sample.model)
            return files == sample.files ? "honest" : "harmless"
        } catch let error as StoreError {
            try expect(error.code == .corrupt && error.place?.file.isEmpty == false, "refused as \(error)")
            try expect(isDamaged, "check finds nothing wrong: \(error)")
            return "refused"
        }
    }
}
