import Foundation
import SpecSupport

/// A run of the crash subject in a folder of its own.
struct SubjectRun {
    static let program = URL(fileURLWithPath: Tool.path).deletingLastPathComponent().path + "/crash-subject"
    static let hasStrace = FileManager.default.isExecutableFile(atPath: strace)
    private static let strace = "/usr/bin/strace"

    let folder: TemporaryFolder
    let output: String
    /// Whether it came to its end by itself, and did not die of a signal.
    let hasExited: Bool
    /// A line for each system call that was traced.
    private(set) var trace: [Substring] = []

    /// - Parameters:
    ///   - base: the store that it goes on with, which is copied; `nil` for none.
    ///   - environment: set for the subject in addition.
    init(_ part: String, from base: TemporaryFolder?, environment: [String: String] = [:]) throws {
        try self.init(part, from: base, launcher: [], environment: environment)
    }

    /// The same under strace.
    ///
    /// - Parameters:
    ///   - calls: what is traced, as strace has it.
    ///   - injection: what is done at which of these calls, such as `signal=KILL:when=3`.
    init(
        _ part: String, from base: TemporaryFolder?, tracing calls: String, injecting injection: String? = nil,
        environment: [String: String] = [:]
    ) throws {
        let file = TemporaryFolder()
        var launcher = [Self.strace, "-f", "-o", file.path, "-e", "trace=\(calls)"]
        if let injection { launcher += ["-e", "inject=\(calls):\(injection)"] }
        for (name, value) in environment { launcher += ["-E", "\(name)=\(value)"] }
        try self.init(part, from: base, launcher: launcher, environment: [:])
        trace = try String(contentsOfFile: file.path, encoding: .utf8).split(separator: "\n")
    }

    private init(
        _ part: String, from base: TemporaryFolder?, launcher: [String], environment: [String: String]
    ) throws {
        folder = TemporaryFolder()
        if let base { try FileManager.default.copyItem(atPath: base.path, toPath: folder.path) }
        let command = launcher + [Self.program, part, folder.path]
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment
            .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        hasExited = process.terminationReason == .exit && process.terminationStatus == 0
    }
}
