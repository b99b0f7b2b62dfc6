import ArgumentParser
import CommitLog
import Rootfast

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the keys whose values differ between two states, one JSON object a line.",
        discussion: #"""
            {"key":…,"old":…,"new":…}, spelled as in the log; "old" is left out of a key that was added, "new" of one \
            that was deleted.
            """#)

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The earlier state: the sequence of the last commit of a flush, or 0.") var from: UInt64
    @Argument(help: "The later one; the newest if it is left out.") var to: UInt64?

    func validate() throws {
        if let to, to < from { throw ValidationError("The earlier sequence comes first.") }
    }

    func run() throws {
        let store = try arguments.openToRead()
        try Failure.naming(arguments.store) {
            let later = try to.map { try store.view(at: $0) } ?? store.view
            let earlier = try store.view(at: from)
            var scanner = RecordText.valueScanner()
            try later.forEachChange(since: earlier) { key, old, new in
                let line = Answer(change: key, from: old, to: new, &scanner).bytes
                try line.withUnsafeBytes { try Output.standard.append($0) }
                return true
            }
        }
    }
}
