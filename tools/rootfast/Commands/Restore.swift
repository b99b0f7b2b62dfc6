import ArgumentParser
import Rootfast

struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a new store from a backup, or from any store, as it is or was at some point.",
        discussion: "The new store has a uuid of its own; the other one is not changed.")

    @Argument(help: "The folder of the store to restore from.", completion: .directory) var from: String
    @Argument(help: "The folder to make, or one that is empty.", completion: .directory) var to: String
    @Option(help: "The state after this commit, the last one of its flush.") var sequence: UInt64?
    @Option(
        help: ArgumentHelp(
            "The state at this time: 2026-11-21T12:00:00Z, or seconds since 1970, either with a fraction.",
            valueName: "time"))
    var at: UTCTime?
    @OptionGroup var format: FormatArguments

    func validate() throws {
        if sequence != nil, at != nil { throw ValidationError("Say either --sequence or --at.") }
    }

    func run() throws {
        let copy = try Failure.naming(from) { try Store.restore(from: from, at: point, to: to) }
        try Output.standard.print(copy, asJSON: format.json)
    }

    private var point: RestorePoint {
        if let sequence { return .sequence(sequence) }
        if let at { return .time(at.microseconds) }
        return .newest
    }
}
