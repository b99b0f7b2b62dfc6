import ArgumentParser
import Rootfast

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print all keys and values as scan does, or write them into an SQLite file.",
        discussion: "The file has one table, state (key, value), in which UTF-8 is TEXT and all else BLOB.")

    @OptionGroup var arguments: StoreArguments
    @OptionGroup var past: SequenceArguments
    @Option(help: ArgumentHelp("An SQLite file to make.", valueName: "file"), completion: .file())
    var sqlite: String?

    func run() throws {
        let view = try past.view(of: arguments)
        guard let sqlite else { return try Output.standard.append(ScanRange(), of: view) }
        try Failure.naming(arguments.store) { try view.export(toSQLite: sqlite) }
        guard arguments.isJSON else {
            let what = "exported \(view.count) keys, sequence \(view.sequence), root \(view.root)"
            return try Output.standard.print(what)
        }
        var answer = Answer()
        answer.text("file", sqlite)
        answer.digest("root", view.root)
        answer.number("sequence", view.sequence)
        answer.number("count", view.count)
        try Output.standard.print(answer)
    }
}
