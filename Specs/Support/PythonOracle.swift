import Foundation

/// A Python program that answers each line with a line: a second opinion that shares no code with what it judges.
package final class PythonOracle {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var buffered: [UInt8] = []

    /// Starts it; `nil`, and said loudly, where there is no Python.
    package static func start(_ program: String, _ arguments: [String] = []) throws -> PythonOracle? {
        let found = Process()
        found.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        found.arguments = ["python3", "-c", ""]
        try found.run()
        found.waitUntilExit()
        guard found.terminationStatus == 0 else {
            print("SKIPPED: python3 is absent, there is nothing to agree with")
            return nil
        }
        return try PythonOracle(program, arguments)
    }

    private init(_ program: String, _ arguments: [String]) throws {
        signal(SIGPIPE, SIG_IGN)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-X", "utf8", "-u", program] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// The answer to a line, neither with its newline.
    package func answer(to line: String) throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
        while true {
            if let end = buffered.firstIndex(of: 0x0a) {
                let answer = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return answer
            }
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw UnmetExpectation(what: "Python ended", place: #fileID) }
            buffered.append(contentsOf: data)
        }
    }
}
