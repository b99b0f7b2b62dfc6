import ArgumentParser
import Rootfast

struct Resolve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decide a transaction in doubt by hand, in place of its coordinator.",
        discussion: "The log records that it was decided by hand. Deciding the same way again is harmless.")

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The transaction's id.") var id: String
    @Flag(help: "Make its changes take effect.") var commit = false
    @Flag(help: "Give it up.") var abort = false
    @Option(help: "Why it is given up; kept in the log.") var reason: String?

    func validate() throws {
        guard Job.isID(Array(id.utf8)) else { throw ValidationError("No transaction can have this id: \(Job.idRule).") }
        guard commit != abort else { throw ValidationError("Say either --commit or --abort.") }
        if commit, reason != nil { throw ValidationError("--reason goes with --abort.") }
    }

    func run() throws {
        try arguments.writing { store in
            let decision = commit ? Decision.commit : .abort(reason: reason ?? "resolved by hand")
            let receipt = try store.resolve(id, decision)
            guard !arguments.isJSON else { return try printAnswer(receipt) }
            let outcome = commit ? "committed \(receipt.sequence)" : "aborted"
            try Output.standard.print("\(outcome), root \(receipt.root)")
        }
    }

    private func printAnswer(_ receipt: Receipt) throws {
        var answer = Answer()
        answer.text("tx_id", id)
        answer.text("outcome", commit ? "committed" : "aborted")
        answer.receipt(receipt)
        try Output.standard.print(answer)
    }
}
