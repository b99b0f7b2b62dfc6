import Foundation
import Rootfast
import SpecSupport
import Testing

/// What a hostile log may cost, seen from outside the process.
@Suite struct BoundedMemoryTests {
    @Test func `a line of 1 GB is passed over in bounded memory, and is named`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        try store.write { try $0.put("a", "1") }
        try store.close()
        let file = try #require(FileHandle(forWritingAtPath: folder.path + "/log/0000000001.jsonl"))
        let offset = try file.seekToEnd()
        let megabyte = [UInt8](repeating: 0x78, count: 1 << 20)
        for _ in 0..<1024 { try file.write(contentsOf: megabyte) }
        try file.close()

        let (status, output, peak) = try Self.runMeasured(["check", folder.path])
        #expect(status == 3)
        #expect(output.contains("byte \(offset)") || output.contains("\(offset)"))
        #expect(peak < 200 << 20, "\(peak >> 20) MiB")
    }

    /// Runs the tool under Python, which tells the most memory that it had resident, in bytes.
    private static func runMeasured(_ arguments: [String]) throws -> (Int, String, Int) {
        let script = """
            import resource, subprocess, sys
            run = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
            print(run.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
            sys.stdout.flush(); sys.stdout.buffer.write(run.stdout)
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, Tool.path] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let lines = text.split(separator: "\n", maxSplits: 1)
        let numbers = try #require(lines.first).split(separator: " ").compactMap { Int($0) }
        try #require(numbers.count == 2)
        return (numbers[0], lines.count > 1 ? String(lines[1]) : "", numbers[1])
    }
}
