import ArgumentParser
import Rootfast

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a store that nobody has open, whole, into an empty folder, and verify the copy.",
        discussion: """
            The copy is the same store under the same uuid: to write to it, make another of it with rootfast restore.
            """)

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The folder to make, or one that is empty.", completion: .directory) var to: String

    func run() throws {
        let copy = try arguments.writing(.forOneThing) { try $0.backup(to: to) }
        try Output.standard.print(copy, asJSON: arguments.isJSON)
    }
}
