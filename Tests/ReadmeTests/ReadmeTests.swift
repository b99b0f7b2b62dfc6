import Foundation
import Testing

/// The README's example is compiled as the target `readme-example`; here it is compared and run.
@Suite struct ReadmeTests {
    static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func block(after fence: String) throws -> String {
        let readme = try String(contentsOf: project.appendingPathComponent("README.md"), encoding: .utf8)
        let start = try #require(readme.range(of: fence))
        let end = try #require(readme.range(of: "\n```", range: start.upperBound..<readme.endIndex))
        return String(readme[start.upperBound..<end.lowerBound])
    }

    static func path(of binary: String) throws -> String {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            let candidate = folder.appendingPathComponent(binary).path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        throw CocoaError(.fileNoSuchFile)
    }

    @Test func `the example is the code that is compiled`() throws {
        let source = try String(
            contentsOf: Self.project.appendingPathComponent("Tests/ReadmeExample/main.swift"), encoding: .utf8)
        #expect(try Self.block(after: "```swift\n") + "\n" == source)
    }

    @Test func `the example prints what the README says, and leaves the log that it shows`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("readme-" + UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let output = try Self.run(try Self.path(of: "readme-example"), [], in: folder)
        #expect(try output == Self.block(after: "It prints\n\n```\n") + "\n")

        let shown = try Self.block(after: "$ jq -c '[.op, .seq, .tx_id, .data]' accounts/log/0000000001.jsonl\n")
        let log = try Self.run(
            "/usr/bin/env", ["jq", "-c", "[.op, .seq, .tx_id, .data]", "accounts/log/0000000001.jsonl"], in: folder)
        #expect(log == shown + "\n")
    }

    private static func run(_ path: String, _ arguments: [String], in folder: URL) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }
}
