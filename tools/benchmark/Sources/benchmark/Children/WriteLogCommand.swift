import ArgumentParser
import Foundation

/// Writes commits to the log of a new store, and is killed by itself, in the midst of its work.
struct WriteLogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "write-log", shouldDisplay: false)

    @Argument var contender: String
    @Argument var folder: String
    @Argument var commitCount: Int
    @Argument var keyCount: Int

    static func run(_ contender: Contender, folder: String, commitCount: Int, keyCount: Int) throws {
        let arguments = ["write-log", contender.rawValue, folder, String(commitCount), String(keyCount)]
        let outcome = try Child(arguments: arguments).run()
        guard outcome.wasKilled else { throw ChildError(arguments: arguments, status: outcome.status) }
    }

    func run() throws {
        let engine = try Contender.named(contender).open(folder, .logOnly)
        let session = try engine.makeSession()
        let traffic = Traffic(over: keyCount, .reopen, round: 0)
        let batch = Batch(count: Shape.keysPerCommit)
        for number in 0..<commitCount {
            traffic.fill(batch, commit: number)
            try session.commit(batch)
        }
        try engine.flush()
        kill(getpid(), SIGKILL)
    }
}
