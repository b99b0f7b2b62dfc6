import ArgumentParser
import Rootfast

struct Seal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Begin a new segment of the log, so that all before it is sealed, and print its number.",
        discussion: "Does nothing if the newest segment holds no commit yet.")

    @OptionGroup var arguments: StoreArguments

    func run() throws {
        let segment = try arguments.writing(.forOneThing) { store in
            try store.maintenance.seal()
            return try store.status().segment
        }
        guard arguments.isJSON else { return try Output.standard.print("\(segment)") }
        var answer = Answer()
        answer.number("segment", segment)
        try Output.standard.print(answer)
    }
}
