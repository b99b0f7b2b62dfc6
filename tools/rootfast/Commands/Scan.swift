import ArgumentParser
import CommitLog
import Rootfast

struct Scan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print keys and values in order, one JSON object a line.",
        discussion: #"{"key":…,"value":…}, spelled as in the log. --prefix, --from and --to narrow it together."#)

    @OptionGroup var arguments: StoreArguments
    @OptionGroup var past: SequenceArguments
    @Option(help: "Only keys that begin with this.", transform: Spelling.bound) var prefix: [UInt8]?
    @Option(help: "The first key.", transform: Spelling.bound) var from: [UInt8]?
    @Option(help: "The first key that is left out.", transform: Spelling.bound) var to: [UInt8]?
    @Option(help: "At most so many.") var limit: Int?
    @Flag(help: "Last key first.") var reverse = false

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit is 0 or more.") }
    }

    func run() throws {
        try Output.standard.append(range, of: past.view(of: arguments))
    }

    private var range: ScanRange {
        Bounds(prefix: prefix, from: from, to: to, limit: limit, isReversed: reverse).range
    }
}

extension Output {
    /// Prints the entries of a range, one JSON object a line.
    func append(_ range: ScanRange, of view: View) throws {
        var scanner = RecordText.valueScanner()
        try view.scan(range) { key, value in
            let line = Answer(entry: key, value, &scanner).bytes
            try line.withUnsafeBytes { try append($0) }
            return true
        }
    }
}
