import ArgumentParser
import Rootfast

struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: #"Commit each line {"tx_id":…,"data":{…}} as one transaction."#,
        discussion: """
            Lines commit in their order. null deletes, {"$base64":"…"} is bytes, and any other value that is no string \
            is kept as its JSON text. A line whose tx_id is committed already is skipped, so an interrupted run can \
            be run again. A bad line is named, and nothing after it is applied. Makes the store if there is none.
            """)

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The lines; - or nothing for standard input.") var file = "-"
    @Option(help: "Commit from so many threads, in no order.") var writers: Int?
    @Flag(help: "Print a line, ack SEQUENCE TX_ID (or the line's number), for each commit once it is durable.")
    var ack = false

    func validate() throws {
        if let writers, !(1...1024).contains(writers) { throw ValidationError("--writers is 1 to 1024.") }
    }

    func run() throws {
        // First, so that a mistyped file makes no store.
        let input = try InputFile(file)
        let tally = Tally(input: input.name, ack ? arguments.isJSON ? .json : .text : .none)
        let source = TransactionLines(input)
        let store = try arguments.openOrCreate(writers == nil ? OrderedCommits.options : Options())
        try arguments.closing(store) {
            try tally.following { try commit(source, to: store, tally) }
            try tell(tally, store)
        }
    }

    private func commit(_ source: any JobSource, to store: Store, _ tally: Tally) throws {
        if let writers { return try ThreadedCommits(store, source, tally, writerCount: writers).run() }
        var commits = try OrderedCommits(store, source, tally)
        try commits.run()
    }

    private func tell(_ tally: Tally, _ store: Store) throws {
        let view = store.view
        guard arguments.isJSON else {
            let skipped = tally.skipped > 0 ? ", skipped \(tally.skipped) committed before" : ""
            return try Output.standard.print(
                "applied \(tally.applied)\(skipped); sequence \(view.sequence), root \(view.root)")
        }
        var answer = Answer()
        answer.flag("created", store.recovery.isNew)
        answer.number("applied", tally.applied)
        answer.number("skipped", tally.skipped)
        answer.state(view)
        try Output.standard.print(answer)
    }
}

extension Answer {
    /// Where a store stands after it was written to.
    mutating func state(_ view: View) {
        number("sequence", view.sequence)
        digest("root", view.root)
        number("count", view.count)
    }
}
