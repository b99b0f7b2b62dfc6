import ArgumentParser
import Rootfast

struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Commit the committed transactions of a log of RVC v2, in the order of their commits.",
        discussion: """
            Reads its PREPARE, COMMIT and ABORT lines and its older form of one line. What is committed here already \
            is skipped, so an import can be run again. Makes the store if there is none. Exit code 3 if a line is \
            unreadable, or commits what is nowhere prepared.
            """)

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The ancestor's wal.log, or - for standard input.", completion: .file()) var wal: String

    func run() throws {
        let input = try InputFile(wal)
        let tally = Tally(input: input.name, .none)
        let source = AncestorLog(input)
        let store = try arguments.openOrCreate(OrderedCommits.options)
        try arguments.closing(store) {
            var commits = try OrderedCommits(store, source, tally)
            try tally.following { try commits.run() }
            try Output.whileRead {
                guard !arguments.isJSON else { return try printAnswer(source, tally, store) }
                try printText(source, tally, store)
            }
        }
        if !source.unreadable.isEmpty || !source.withoutPrepare.isEmpty { throw ExitStatus.wantsAttention }
    }

    private func printText(_ source: AncestorLog, _ tally: Tally, _ store: Store) throws {
        let skipped = tally.skipped > 0 ? " (\(tally.skipped) of them before)" : ""
        try Output.standard.print("committed  \(source.committedCount)\(skipped)")
        try Output.standard.print("aborted    \(source.abortedCount)")
        try Output.standard.print("undecided  \(source.undecidedCount)")
        try Output.standard.print("unreadable \(Self.counted(source.unreadable))")
        if !source.withoutPrepare.isEmpty {
            try Output.standard.print(
                "committed without a readable PREPARE, so not applied: \(Self.counted(source.withoutPrepare))")
        }
        try Output.standard.print("sequence   \(store.view.sequence)")
        try Output.standard.print("root       \(store.root)")
    }

    /// How many lines, and which; of very many the first.
    private static func counted(_ lines: [Int]) -> String {
        guard !lines.isEmpty else { return "0" }
        let shown = lines.prefix(20).map { "\($0)" }.joined(separator: ", ")
        return "\(lines.count) (line \(shown)\(lines.count > 20 ? ", …" : ""))"
    }

    private func printAnswer(_ source: AncestorLog, _ tally: Tally, _ store: Store) throws {
        var answer = Answer()
        answer.flag("created", store.recovery.isNew)
        answer.number("committed", source.committedCount)
        answer.number("skipped", tally.skipped)
        answer.number("aborted", source.abortedCount)
        answer.number("undecided", source.undecidedCount)
        answer.numbers("unreadable", source.unreadable)
        answer.numbers("without_prepare", source.withoutPrepare)
        answer.state(store.view)
        try Output.standard.print(answer)
    }
}
