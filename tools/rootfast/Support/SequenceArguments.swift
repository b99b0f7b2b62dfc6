import ArgumentParser
import Rootfast

/// Which state is read: the newest, or an earlier one.
struct SequenceArguments: ParsableArguments {
    @Option(help: "Read the state as it was after this commit, the last one of its flush.")
    var sequence: UInt64?

    /// The state of a store that is opened to be read.
    func view(of arguments: StoreArguments) throws -> View {
        let store = try arguments.openToRead()
        guard let sequence else { return store.view }
        return try Failure.naming(arguments.store) { try store.view(at: sequence) }
    }
}
