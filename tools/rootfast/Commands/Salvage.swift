import ArgumentParser
import Rootfast

struct Salvage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring out of a damaged store all that can be proven, into a new one.",
        discussion: """
            The damaged store is not changed. Exit code 3 if something could not be proven: each such thing is a line, \
            and where the copy is no whole state, keys are missing from it.
            """)

    @OptionGroup var arguments: StoreArguments
    @Option(
        help: ArgumentHelp("The folder of the new store, to be made or empty.", valueName: "copy"),
        completion: .directory)
    var to: String

    func run() throws {
        let report = try Failure.naming(arguments.store) { try Store.salvage(arguments.store, to: to) }
        try Output.whileRead {
            guard !arguments.isJSON else { return try Output.standard.print(answer(report)) }
            for line in lines(report) { try Output.standard.print(line) }
        }
        if !report.losses.isEmpty { throw ExitStatus.wantsAttention }
    }

    private func lines(_ report: SalvageReport) -> [String] {
        let whole = report.isWhole ? "whole     yes" : "whole     no: keys are missing"
        return report.copy.lines + ["source    \(report.source)", whole] + report.losses.map { "lost      \($0)" }
    }

    private func answer(_ report: SalvageReport) -> Answer {
        var answer = Answer()
        answer.describe(report.copy)
        answer.text("source", report.source)
        answer.flag("whole", report.isWhole)
        answer.texts("losses", report.losses)
        return answer
    }
}
