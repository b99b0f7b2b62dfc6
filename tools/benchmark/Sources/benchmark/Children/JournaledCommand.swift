import ArgumentParser
import Foundation

/// Makes an ext4 with a journal in a file, mounts it, and measures sixteen durable writers there.
struct JournaledCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "journaled", shouldDisplay: false)
    private static let imageBytes = 6 << 30

    @Argument var folder: String
    @Argument var keyCount: Int
    @Argument var rounds: Int
    @Argument var seconds: Double

    /// Runs it where its mount is seen by no other process and ends with it.
    static func run(folder: String, plan: Plan) throws -> Results {
        let arguments = ["journaled", folder, String(plan.keyCount), String(plan.rounds), String(plan.seconds)]
        let launcher = ["/usr/bin/env", "unshare", "--mount", "--propagation", "private"]
        guard getuid() == 0 else { return skipped("mounting needs root") }
        guard Tool.run(Array(launcher.dropFirst()) + ["true"]) == nil else {
            return skipped("there may be no mount namespace of its own (unshare)")
        }
        return try Child(arguments: arguments, launcher: launcher).answer(Results.self)
    }

    func run() throws {
        let mountPoint = folder + "/mount"
        if let reason = try mount(at: mountPoint) { return try Child.answer(Self.skipped(reason)) }
        let plan = Plan(keyCount: keyCount, rounds: rounds, seconds: seconds)
        let stage = Stage(folder: mountPoint, keyCount: keyCount)
        let workload = CommitWorkload(contenders: Contender.durable, mode: .durable, seconds: seconds, plan: plan)
        var results = Results()
        try workload.run(.journaled16, threads: 16, on: stage, into: &results)
        try stage.clear()
        try Child.answer(results)
    }

    /// Says why it cannot.
    private func mount(at mountPoint: String) throws -> String? {
        let image = folder + "/image"
        try Folder.make(mountPoint)
        try SystemFile(image, O_RDWR | O_CREAT).truncate(to: Self.imageBytes)
        // All is laid out now and not in the background while it is measured.
        let layout = "lazy_itable_init=0,lazy_journal_init=0"
        return Tool.run(["mkfs.ext4", "-q", "-F", "-O", "has_journal", "-E", layout, image])
            ?? Tool.run(["mount", "-o", "loop", image, mountPoint])
    }

    private static func skipped(_ reason: String) -> Results {
        Progress.say("SKIPPED: \(Work.journaled16.title): \(reason)")
        var results = Results()
        results.skipped[Work.journaled16.rawValue] = reason
        return results
    }
}

/// A program of the system.
private enum Tool {
    /// Runs it, and says what went wrong, if anything did.
    static func run(_ command: [String]) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        let pipe = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = pipe
        do { try process.run() } catch { return "\(command[0]): \(error)" }
        let message = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus != 0 else { return nil }
        return "\(command[0]): \(message.trimmingCharacters(in: .whitespacesAndNewlines))"
    }
}
