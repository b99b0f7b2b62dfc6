import ArgumentParser
import Rootfast

struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take a snapshot, so that the log before it is needed no more, and apply retention.",
        discussion: "What goes beyond the limits is deprecated first; rootfast retain says what, and why.")

    @OptionGroup var arguments: StoreArguments
    @Flag(help: "Only tell what it would do, and gain. Changes nothing.") var dryRun = false

    func run() throws {
        if dryRun { return try preview() }
        try arguments.writing(.forOneThing) { store in
            let (snapshot, decisions) = try store.maintenance.compact()
            let changes = decisions.filter(\.isChange)
            guard arguments.isJSON else {
                for line in snapshot.lines + changes.lines { try Output.standard.print(line) }
                return
            }
            var answer = Answer()
            answer.object("snapshot") { $0.describe(snapshot) }
            answer.decisions("decisions", changes)
            try Output.standard.print(answer)
        }
    }

    /// Also beside a live writer. How far the store has gone on since its last snapshot is what opening it replayed.
    private func preview() throws {
        let store = try arguments.openToRead()
        let preview = try Failure.naming(arguments.store) { try store.maintenance.compactionPreview() }
        let gain = Gain(
            commitCount: store.view.sequence - (store.recovery.snapshotSequence ?? 0),
            logByteCount: store.recovery.byteCount, preview: preview)
        guard arguments.isJSON else {
            for line in gain.lines { try Output.standard.print(line) }
            return
        }
        try Output.standard.print(gain.answer)
    }
}

private struct Gain {
    let commitCount: UInt64
    let logByteCount: Int
    let preview: CompactionPreview

    var lines: [String] {
        let freed = preview.freedSegments.map { "segment:\($0)" }
        return [
            "commits   \(commitCount) since the last snapshot", "log       \(logByteCount) bytes to replay less",
            "needless  \(preview.freedByteCount) bytes: " + (freed.isEmpty ? "none" : freed.joined(separator: ", ")),
        ]
    }

    var answer: Answer {
        var answer = Answer()
        answer.flag("dry_run", true)
        answer.number("commits", commitCount)
        answer.number("log_bytes", logByteCount)
        answer.numbers("freed_segments", preview.freedSegments.map { Int($0) })
        answer.number("freed_bytes", preview.freedByteCount)
        return answer
    }
}

extension SnapshotReport {
    fileprivate var duration: UInt64 { finishedAt - min(finishedAt, startedAt) }

    /// For people.
    fileprivate var lines: [String] {
        [
            "snapshot  \(id)", "sequence  \(sequence)", "pages     \(pageCount)", "bytes     \(byteCount)",
            "duration  \(duration / 1000) ms",
        ]
    }
}

extension Answer {
    mutating func describe(_ snapshot: SnapshotReport) {
        number("id", snapshot.id)
        number("sequence", snapshot.sequence)
        number("pages", snapshot.pageCount)
        number("bytes", snapshot.byteCount)
        number("duration_us", snapshot.duration)
    }
}
