import ArgumentParser
import Rootfast

struct Snapshots: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the snapshots of a store, the oldest first.",
        discussion: "With --json also the segments of its log.")

    @OptionGroup var arguments: StoreArguments

    func run() throws {
        let maintenance = try arguments.openToRead().maintenance
        try Failure.naming(arguments.store) {
            let snapshots = try maintenance.snapshots()
            if arguments.isJSON {
                var answer = Answer()
                answer.list(snapshots, try maintenance.segments())
                try Output.standard.print(answer)
            } else {
                for line in lines(snapshots) { try Output.standard.print(line) }
            }
        }
    }

    private func lines(_ snapshots: [SnapshotInfo]) -> [String] {
        guard !snapshots.isEmpty else { return [] }
        let head = ["id", "sequence", "keys", "segment", "reason", "created", "state", "root"]
        let rows = snapshots.map { snapshot in
            [
                "\(snapshot.id)", "\(snapshot.sequence)", "\(snapshot.keyCount)", "\(snapshot.segment)",
                snapshot.reason.rawValue, "\(UTCTime(microseconds: snapshot.createdAt))", condition(of: snapshot),
                snapshot.root,
            ]
        }
        return Table.lines([head] + rows, left: [4, 5, 6, 7])
    }

    private func condition(of snapshot: SnapshotInfo) -> String {
        var words = [snapshot.isVerified ? "verified" : "unverified"]
        if let since = snapshot.deprecatedAt { words.append("deprecated \(UTCTime(microseconds: since))") }
        if snapshot.isKept { words.append("kept by hand") }
        return words.joined(separator: ", ")
    }
}

extension Answer {
    mutating func list(_ snapshots: [SnapshotInfo], _ segments: [SegmentInfo]) {
        objects("snapshots", snapshots) { $1.describe($0) }
        objects("segments", segments) { $1.describe($0) }
    }

    fileprivate mutating func describe(_ snapshot: SnapshotInfo) {
        number("id", snapshot.id)
        number("sequence", snapshot.sequence)
        text("root", snapshot.root)
        number("count", snapshot.keyCount)
        number("segment", snapshot.segment)
        text("reason", snapshot.reason.rawValue)
        text("created", "\(UTCTime(microseconds: snapshot.createdAt))")
        number("created_at_us", snapshot.createdAt)
        flag("verified", snapshot.isVerified)
        number("deprecated_at_us", snapshot.deprecatedAt)
        flag("kept", snapshot.isKept)
    }

    fileprivate mutating func describe(_ segment: SegmentInfo) {
        number("number", segment.number)
        text("file", segment.file)
        number("first_sequence", segment.firstSequence)
        number("last_sequence", segment.lastSequence)
        number("bytes", segment.byteCount)
        flag("sealed", segment.isSealed)
        number("deprecated_at_us", segment.deprecatedAt)
        flag("kept", segment.isKept)
    }
}
