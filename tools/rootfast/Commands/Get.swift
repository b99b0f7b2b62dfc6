import ArgumentParser
import Rootfast

struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the value of a key: its bytes and a newline.",
        discussion: "With --json, as it is spelled in the log. Exit code 12 if there is no such key.")

    @OptionGroup var arguments: StoreArguments
    @OptionGroup var past: SequenceArguments
    @Argument(help: "The key.", transform: Spelling.key) var key: [UInt8]

    func run() throws {
        guard let value = try past.view(of: arguments).get(key) else { throw Failure.noSuchKey(key, arguments.store) }
        guard arguments.isJSON else { return try Output.standard.print(value) }
        var answer = Answer()
        answer.key("key", key)
        answer.value("value", value)
        try Output.standard.print(answer)
    }
}

extension Failure {
    static func noSuchKey(_ key: [UInt8], _ store: String) -> Failure {
        Failure(.notFound, "no_such_key", "\(store): There is no key \(Spelling.shown(key))")
    }
}
