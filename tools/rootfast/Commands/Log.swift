import ArgumentParser
import Rootfast

struct Log: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the lines of the log as they stand, one JSON object a line.",
        discussion: "Stops where the log stops being whole. Beside a live writer it may show what is not durable yet.")

    @OptionGroup var arguments: StoreArguments
    @Option(help: "Leave out flushes that end before this sequence.") var from: UInt64 = 0

    func run() throws {
        try Failure.naming(arguments.store) {
            try Store.log(arguments.store, from: from) { line in
                try Output.standard.append(line)
                return true
            }
        }
    }
}
