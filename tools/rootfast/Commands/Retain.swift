import ArgumentParser
import Rootfast

struct Retain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Apply retention: deprecate what is beyond the limits, remove what was so for long enough.",
        discussion: """
            One line for each snapshot and each sealed segment: what is done with it, its name, its file, its bytes, and \
            why. Whatever the limits, nothing goes that recovery needs. What is kept is within every limit that is set; \
            one that is not given is the library's default.
            """)

    @OptionGroup var arguments: StoreArguments
    @Flag(help: "Only tell what it would do.") var dryRun = false
    @OptionGroup var limits: RetentionArguments
    @Option(
        help: ArgumentHelp(
            "Take back that this is deprecated, and keep it from now on: snapshot:ID or segment:NUMBER.",
            valueName: "item"), transform: RetentionItem.spelled)
    var undeprecate: RetentionItem?

    func validate() throws {
        if undeprecate != nil, dryRun || limits.areGiven {
            throw ValidationError("--undeprecate goes with no other option.")
        }
    }

    func run() throws {
        if let undeprecate { return try keep(undeprecate) }
        var options = Options.forOneThing
        options.retention = limits.retention
        let decisions =
            dryRun ? try plan(options) : try arguments.writing(options) { try $0.maintenance.retain() }
        guard arguments.isJSON else {
            for line in decisions.lines { try Output.standard.print(line) }
            return
        }
        var answer = Answer()
        answer.flag("dry_run", dryRun)
        answer.decisions("decisions", decisions)
        try Output.standard.print(answer)
    }

    /// What a run would do; also beside a live writer.
    private func plan(_ options: Options) throws -> [RetentionDecision] {
        let store = try arguments.openToRead(options)
        return try Failure.naming(arguments.store) { try store.maintenance.retain(isDry: true) }
    }

    private func keep(_ item: RetentionItem) throws {
        try arguments.writing(.forOneThing) { try $0.maintenance.undeprecate(item) }
        guard arguments.isJSON else { return try Output.standard.print("kept \(item.spelling)") }
        var answer = Answer()
        answer.text("kept", item.spelling)
        try Output.standard.print(answer)
    }
}

/// The limits of retention that stand in for the library's.
struct RetentionArguments: ParsableArguments {
    @Option(help: "Keep at most so many snapshots.") var snapshots: UInt64?
    @Option(help: ArgumentHelp("Keep snapshots no older than this.", valueName: "seconds"))
    var snapshotsAge: UInt64?
    @Option(help: ArgumentHelp("Keep snapshots of the last so many commits.", valueName: "commits"))
    var snapshotsCommits: UInt64?
    @Option(help: "Keep at most so many sealed segments.") var segments: UInt64?
    @Option(help: ArgumentHelp("Keep at most so many bytes of sealed segments.", valueName: "bytes"))
    var segmentsBytes: UInt64?
    @Option(help: ArgumentHelp("Keep sealed segments no older than this.", valueName: "seconds"))
    var segmentsAge: UInt64?
    @Option(help: ArgumentHelp("Keep sealed segments of the last so many commits.", valueName: "commits"))
    var segmentsCommits: UInt64?
    @Option(help: ArgumentHelp("How long something is deprecated before it is removed.", valueName: "seconds"))
    var grace: UInt64?

    var areGiven: Bool {
        let numbers = [
            snapshots, snapshotsAge, snapshotsCommits, segments, segmentsBytes, segmentsAge, segmentsCommits, grace,
        ]
        return numbers.contains { $0 != nil }
    }

    var retention: Retention {
        var retention = Options().retention
        if let snapshots { retention.snapshots.count = Int(clamping: snapshots) }
        if let snapshotsAge { retention.snapshots.age = .seconds(snapshotsAge) }
        if let snapshotsCommits { retention.snapshots.commitCount = snapshotsCommits }
        if let segments { retention.segments.count = Int(clamping: segments) }
        if let segmentsBytes { retention.segments.byteCount = Int(clamping: segmentsBytes) }
        if let segmentsAge { retention.segments.age = .seconds(segmentsAge) }
        if let segmentsCommits { retention.segments.commitCount = segmentsCommits }
        if let grace { retention.grace = .seconds(grace) }
        return retention
    }
}
