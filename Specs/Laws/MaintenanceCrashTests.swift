import Foundation
import Rootfast
import SpecSupport
import Testing

/// Whatever system call a process dies at, or whichever fails, while it takes snapshots and reclaims: the store holds
/// every acknowledged commit under the right root, and the next run cleans up.
@Suite(.serialized, .enabled(if: hasStrace, "there is no strace here, so nothing is killed"))
struct MaintenanceCrashTests {
    private static let subject = Tool.path.replacing("/rootfast", with: "/crash-subject")
    /// All that changes files, or decides what is changed.
    private static let calls = [
        "pwrite64", "write", "fdatasync", "fsync", "ftruncate", "fallocate", "rename", "renameat", "unlink", "unlinkat",
        "openat", "mkdirat",
    ]
    /// All that can find no room.
    private static let writes = ["pwrite64", "fallocate", "openat", "renameat"]

    @Test func `a process killed at any system call of maintenance loses nothing`() throws {
        var reached: [String: Int] = [:]
        var lost = 0
        for call in Self.calls {
            // `when` counts the calls of one kind, in each thread by itself.
            for point in 1...5000 {
                let run = try Run(inject: "inject=\(call):signal=KILL:when=\(point)")
                if run.isClosed { break }
                reached[call, default: 0] += 1
                lost += try run.verify("killed at \(call) \(point)")
            }
        }
        print(
            "killed at \(reached.values.reduce(0, +)) system calls, \(lost) acknowledged commits lost: \(reached.sorted { $0.key < $1.key })"
        )
        #expect(reached.values.reduce(0, +) > 200)
        #expect(lost == 0)
    }

    @Test func `a call that finds no room leaves the old set valid, and writers go on`() throws {
        var (reached, failures) = (0, 0)
        for call in Self.writes {
            for point in 1...5000 {
                let run = try Run(inject: "inject=\(call):error=ENOSPC:when=\(point)", marking: true)
                guard run.isInjected else { break }
                reached += 1
                if run.output.contains("failed") { failures += 1 }
                #expect(!run.output.contains("stuck"), "\(call) \(point): \(run.output)")
                _ = try run.verify("no room at \(call) \(point)")
            }
        }
        print("no room at \(reached) calls; maintenance failed at \(failures) of them")
        #expect(reached > 100 && failures > 20)
    }

    /// A run of the subject in a copy of a prepared store, under strace.
    private struct Run {
        private static let base: TemporaryFolder = {
            let folder = TemporaryFolder()
            for first in [1, 13] { _ = try! shell("'\(subject)' '\(folder.path)' \(first)") }
            return folder
        }()

        let folder = TemporaryFolder()
        let output: String
        /// Whether the call that was to fail was reached.
        let isInjected: Bool

        /// - Parameter marking: finds out whether the injection was reached; a kill shows by itself.
        init(inject: String, marking: Bool = false) throws {
            try shell("cp -a '\(Self.base.path)' '\(folder.path)'")
            let trace = folder.path + ".trace"
            let call = inject.split(separator: ":")[0].dropFirst(7)
            output = try shell(
                "strace -f -o '\(trace)' -e trace=\(call) -e \(inject) '\(subject)' '\(folder.path)' 25 2>/dev/null"
            )
            isInjected = try !marking || !shell("grep INJECTED '\(trace)'").isEmpty
            try shell("rm -f '\(trace)'")
        }

        var isClosed: Bool { output.hasSuffix("closed\n") }

        /// Opens the store again, and then maintains it: returns how many acknowledged commits are missing.
        func verify(_ what: String) throws -> Int {
            let acknowledged = output.split(separator: "\n").filter { $0.hasPrefix("ack ") }.compactMap {
                Int($0.dropFirst(4))
            }
            let report = try Store.check(folder.path)
            #expect(report.verdict != .damaged, "\(what): \(String(describing: report.damage)) \(output)")
            var options = Options()
            options.maintainsItself = false
            options.retention.grace = .zero
            options.retention.segments = .init(count: 0)
            let store = try Store.open(folder.path, options: options)
            let last = try store.get("last").flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
            var expected: [String: String] = ["last": "\(last)"]
            if last > 0 { for i in 1...last { expected["key \(i % 50)"] = "\(i)" } }
            let state = try store.view.entries().map {
                (String(decoding: $0.key, as: UTF8.self), String(decoding: $0.value, as: UTF8.self))
            }
            #expect(Dictionary(uniqueKeysWithValues: state) == expected, "\(what)")
            let root = store.root
            try store.maintenance.compact()
            #expect(store.root == root, "\(what)")
            try store.close()
            let after = try Store.check(folder.path)
            #expect(after.verdict == .sound && after.leftOver.isEmpty && after.root == root, "\(what)")
            return acknowledged.filter { $0 > last }.count
        }
    }
}

/// What a command prints.
@discardableResult
private func shell(_ command: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
}

private let hasStrace = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")
