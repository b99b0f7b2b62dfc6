import Foundation

/// Runs this program again, as a process of its own: to measure its memory, to kill it, to mount for it alone.
struct Child {
    var arguments: [String]
    /// A program to run it by, with its arguments.
    var launcher: [String] = []

    struct Outcome {
        let output: Data
        let status: Int32
        let wasKilled: Bool
    }

    /// Waits for its end. Its standard error is ours.
    func run() throws -> Outcome {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let command = launcher + [program] + arguments
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            output: output, status: process.terminationStatus,
            wasKilled: process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL)
    }

    /// Runs it and reads the one JSON value that it prints.
    func answer<Answer: Decodable>(_ type: Answer.Type) throws -> Answer {
        let outcome = try run()
        guard outcome.status == 0 else { throw ChildError(arguments: arguments, status: outcome.status) }
        return try JSONDecoder().decode(type, from: outcome.output)
    }

    /// Prints such a value.
    static func answer(_ value: some Encodable) throws {
        FileHandle.standardOutput.write(try JSONEncoder().encode(value))
    }
}

struct ChildError: Error, CustomStringConvertible {
    let arguments: [String]
    let status: Int32
    var description: String { "`\(arguments.joined(separator: " "))` ended with status \(status)" }
}
