import ArgumentParser
import Rootfast

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify every record, chain, crc, root, snapshot and page of a store. Changes nothing.",
        discussion: """
            Also beside a live writer, up to its last durable flush. The verdict comes first. Exit code 0 if sound, 3 \
            if sound but with a torn tail or a transaction in doubt, 2 if damaged. --quick verifies what opening does: \
            the newest snapshot's root, and the log since.
            """)

    @OptionGroup var arguments: StoreArguments
    @Flag(help: "Only the newest snapshot's root and the log since.") var quick = false

    func run() throws {
        var progress = Progress()
        let report = try Failure.naming(arguments.store) {
            try Store.check(arguments.store, isQuick: quick) { stage, done, total in
                switch stage {
                case .log: progress.show("\(done >> 20) of \(total >> 20) MiB of log verified")
                case .state: progress.show("\(done) of about \(total) pages verified")
                }
            }
        }
        progress.clear()
        try Output.whileRead { try tell(report) }
        if let status = report.status { throw status }
    }

    private func tell(_ report: CheckReport) throws {
        guard arguments.isJSON else {
            for line in CheckText(report: report, store: arguments.store).lines { try Output.standard.print(line) }
            return
        }
        var answer = Answer()
        answer.describe(report, store: arguments.store)
        try Output.standard.print(answer)
    }
}

extension CheckReport {
    /// The exit code, if it is not 0.
    fileprivate var status: ExitStatus? {
        switch verdict {
        case .sound: nil
        case .wantsAttention: .wantsAttention
        case .damaged: .verificationFailed
        }
    }

    /// What there is to see to, if the store is sound.
    fileprivate var wants: [String] {
        var wants: [String] = []
        if tornTail != nil { wants.append("a torn tail") }
        if inDoubt.count == 1 { wants.append("a transaction in doubt") }
        if inDoubt.count > 1 { wants.append("\(inDoubt.count) transactions in doubt") }
        return wants
    }

    /// The commands to run next.
    fileprivate func nextCommands(_ store: String) -> [String] {
        let quoted = shellQuoted(store)
        if verdict == .damaged {
            return ["cp -a -- \(quoted) \(shellQuoted(store + ".damaged"))", "rootfast log -- \(quoted)"]
        }
        return inDoubt.map { "rootfast resolve --commit -- \(quoted) \(shellQuoted($0.id)) (or --abort)" }
    }
}

/// A word as a shell takes it.
private func shellQuoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
    guard !isPlain || text.isEmpty else { return text }
    return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
}

// MARK: - For people

private struct CheckText {
    let report: CheckReport
    let store: String

    var lines: [String] {
        guard report.verdict != .damaged else { return damageLines }
        return [verdict] + totals + segments + snapshots + tail + inDoubt + next
    }

    private var verdict: String {
        report.verdict == .sound ? "sound" : "sound, but wants attention: \(report.wants.joined(separator: ", "))"
    }

    private var totals: [String] {
        let writer = report.isBeingWritten ? ["writer    at work; checked up to its last durable flush"] : []
        return [
            "store     \(report.uuid)", "root      \(report.root)", "sequence  \(report.sequence)",
            "keys      \(report.keyCount)", "flushes   \(report.flushCount)", "records   \(report.recordCount)",
        ] + writer
    }

    private var segments: [String] {
        let rows = report.segments.map { segment in
            let isEmpty = segment.lastSequence < segment.firstSequence
            return [
                segment.file, "\(segment.byteCount)", "\(segment.flushCount)", "\(segment.recordCount)",
                isEmpty ? "none" : "\(segment.firstSequence)-\(segment.lastSequence)",
            ]
        }
        return aligned([["segment", "bytes", "flushes", "records", "sequences"]] + rows)
    }

    private var snapshots: [String] {
        if report.isQuick { return ["quick     older log and the state file were not verified"] }
        guard !report.snapshots.isEmpty else { return [] }
        let rows = report.snapshots.map { ["\($0.id)", "\($0.sequence)", "\($0.newPageCount)", "\($0.root)"] }
        let leftOver = report.leftOver.map { "left over \($0), which maintenance will remove" }
        return aligned([["snapshot", "sequence", "new pages", "root"]] + rows) + leftOver
    }

    /// The columns of a table, the first to the left and the others to the right.
    private func aligned(_ rows: [[String]]) -> [String] {
        let widths = rows[0].indices.map { column in rows.map { $0[column].utf8.count }.max()! }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].utf8.count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
    }

    private var tail: [String] {
        guard let tail = report.tornTail else { return [] }
        return [
            "torn tail \(tail.byteCount) bytes at byte \(tail.place.offset ?? 0) of \(tail.place.file): \(tail.reason)",
            "          Nobody was told that they were durable. The next command that writes drops them and keeps a copy.",
        ]
    }

    private var inDoubt: [String] { report.inDoubt.map { "in doubt  \($0.line)" } }

    private var next: [String] { report.nextCommands(store).map { "next      \($0)" } }

    private var damageLines: [String] {
        guard let damage = report.damage else { return ["DAMAGED"] }
        var lines = ["DAMAGED: \(damage.message)"]
        if let place = damage.place {
            lines.append("file      \(place.file)")
            if let offset = place.offset { lines.append("offset    \(offset)") }
            if let sequence = place.sequence {
                lines.append("sequence  \(sequence) is the last that is whole before it")
            }
        }
        if let advice = damage.advice { lines.append("advice    \(advice)") }
        return lines + next
    }
}

// MARK: - For scripts

extension Answer {
    mutating func describe(_ report: CheckReport, store: String) {
        text("verdict", report.word)
        flag("being_written", report.isBeingWritten)
        if let damage = report.damage { describe(damage) } else { findings(of: report) }
        texts("next", report.nextCommands(store))
    }

    private mutating func describe(_ damage: StoreError) {
        object("damage") { answer in
            answer.text("message", damage.message)
            answer.text("file", damage.place?.file)
            answer.number("offset", damage.place?.offset.map { UInt64($0) })
            answer.number("sequence", damage.place?.sequence)
            answer.text("advice", damage.advice)
        }
    }

    private mutating func findings(of report: CheckReport) {
        text("store", report.uuid)
        digest("root", report.root)
        number("sequence", report.sequence)
        number("count", report.keyCount)
        number("flushes", report.flushCount)
        number("records", report.recordCount)
        flag("closed", report.isClosed)
        objects("segments", report.segments) { segment, answer in
            answer.number("number", segment.number)
            answer.text("file", segment.file)
            answer.number("bytes", segment.byteCount)
            answer.number("flushes", segment.flushCount)
            answer.number("records", segment.recordCount)
            answer.number("first_sequence", segment.firstSequence)
            answer.number("last_sequence", segment.lastSequence)
        }
        flag("quick", report.isQuick)
        objects("snapshots", report.snapshots) { snapshot, answer in
            answer.number("id", snapshot.id)
            answer.number("sequence", snapshot.sequence)
            answer.digest("root", snapshot.root)
            answer.number("new_pages", snapshot.newPageCount)
        }
        number("pages", report.pageCount)
        number("long_values", report.longValueCount)
        number("outcomes", report.outcomeCount)
        texts("left_over", report.leftOver)
        list(inDoubt: report.inDoubt)
        tornTail(report.tornTail)
    }
}

extension CheckReport {
    fileprivate var word: String {
        switch verdict {
        case .sound: "sound"
        case .wantsAttention: "wants_attention"
        case .damaged: "damaged"
        }
    }
}
