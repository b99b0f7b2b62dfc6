import ArgumentParser

/// `rootfast`: each subcommand is a thin face over a public call of the library.
///
/// What it promises to scripts: stdout is data and stderr is progress and errors; with `--json` every answer is an
/// object with `"schema":1`, errors included; and the exit codes of `ExitStatus`.
@main
struct RootfastTool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rootfast",
        abstract: "Keeps, checks and proves a transactional, verifiable state store.",
        discussion: """
            Keys and values are spelled as in the log: as they are, or $ and base64 for bytes that are not UTF-8 \
            or begin with $. Put -- before an argument that begins with a dash.

            Exit codes: 0 sound; 1 an operation failed; 2 verification failed; 3 sound, but wants attention (torn \
            tail, in doubt, unreadable lines, something not salvaged); 10 no store there; 11 locked; 12 no such key, \
            transaction or earlier state; 64 usage.
            """,
        version: "0.1.0",
        subcommands: [
            Initialize.self, Apply.self, Session.self, Import.self, Check.self, Status.self, Get.self, Put.self,
            Delete.self,
            Scan.self, Log.self, Root.self, Prove.self, VerifyProof.self, InDoubt.self, Resolve.self, Compact.self,
            Snapshots.self, Retain.self, Seal.self, Backup.self, Restore.self, Salvage.self, Export.self, Diff.self,
        ])

    static func main() {
        Output.ignoreClosedPipes()
        do {
            try Spelling.requireUTF8Arguments()
            var command = try parseAsRoot()
            try command.run()
            try Output.standard.finish()
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let status = error as? ExitStatus { finish(status) }
        if error is Output.Closed { ExitStatus.sound.exit() }
        guard let failure = Failure(error) ?? (wantsJSON ? Failure(usage: error) : nil) else { exit(withError: error) }
        failure.tell(asJSON: wantsJSON)
        finish(failure.status)
    }

    /// Ends with a status once all that was printed is out, or with why it is not.
    private static func finish(_ status: ExitStatus) -> Never {
        do {
            try Output.standard.finish()
        } catch is Output.Closed {
            // What was found holds, whoever reads it.
        } catch {
            Failure(error)?.tell(asJSON: false)
            ExitStatus.failed.exit()
        }
        status.exit()
    }

    /// Known before the arguments are, as they may be what is wrong.
    private static var wantsJSON: Bool {
        let arguments = CommandLine.arguments.dropFirst().prefix { $0 != "--" }
        // A session always answers in JSON.
        return arguments.first == "session" || arguments.contains("--json")
    }
}
