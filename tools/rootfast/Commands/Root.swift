import ArgumentParser
import Rootfast

struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the root of the state.")

    @OptionGroup var arguments: StoreArguments
    @OptionGroup var past: SequenceArguments

    func run() throws {
        let view = try past.view(of: arguments)
        guard arguments.isJSON else { return try Output.standard.print(view.root.hex) }
        var answer = Answer()
        answer.digest("root", view.root)
        answer.number("sequence", view.sequence)
        answer.number("count", view.count)
        try Output.standard.print(answer)
    }
}
