import ArgumentParser
import Rootfast

struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the root of the state.")

    @OptionGroup var arguments: StoreArguments

    func run() throws {
        let view = try arguments.openToRead().view
        guard arguments.isJSON else { return try Output.standard.print(view.root.hex) }
        var answer = Answer()
        answer.digest("root", view.root)
        answer.number("sequence", view.sequence)
        answer.number("count", view.count)
        try Output.standard.print(answer)
    }
}
