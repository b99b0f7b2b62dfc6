package import Foundation

/// The real `rootfast` binary, run as a user runs it.
package final class Tool {
    package let process = Process()
    package let input: FileHandle
    private let output = Pipe()
    private var buffered: [UInt8] = []
    private var isAtEnd = false

    /// The binary that was built together with the running tests.
    package static let path: String = {
        if let given = ProcessInfo.processInfo.environment["ROOTFAST_TOOL"] { return given }
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let folders = sequence(first: tests.deletingLastPathComponent()) { folder in
            folder.path == "/" ? nil : folder.deletingLastPathComponent()
        }
        let candidates = folders.map { $0.appendingPathComponent("rootfast").path }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "rootfast"
    }()

    /// Starts the tool with pipes for its standard input and output.
    package static func start(_ arguments: [String]) throws -> Tool {
        signal(SIGPIPE, SIG_IGN)
        let tool = Tool()
        tool.process.executableURL = URL(fileURLWithPath: path)
        tool.process.arguments = arguments
        tool.process.standardOutput = tool.output
        try tool.process.run()
        return tool
    }

    /// Runs the tool to its end.
    package static func run(
        _ arguments: [String], input: String = ""
    ) throws -> (status: Int32, output: String) {
        let tool = try start(arguments)
        if !input.isEmpty { tool.input.write(Data(input.utf8)) }
        try tool.input.close()
        let output = tool.output.fileHandleForReading.readDataToEndOfFile()
        tool.process.waitUntilExit()
        return (tool.process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private init() {
        let pipe = Pipe()
        process.standardInput = pipe
        input = pipe.fileHandleForWriting
    }

    /// The next line of the tool's output, without its newline; `nil` at the end. A line cut short is none.
    package func readLine() -> String? {
        while true {
            if let end = buffered.firstIndex(of: 0x0a) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return line
            }
            if isAtEnd { return nil }
            let data = output.fileHandleForReading.availableData
            isAtEnd = data.isEmpty
            buffered.append(contentsOf: data)
        }
    }
}
