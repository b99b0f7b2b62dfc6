import CommitLog
import Foundation
import SpecSupport

/// A part of the crash subject's script, the store that it begins with, and the system calls it makes when it is let be.
struct SubjectPart: Sendable {
    let name: String
    /// What it goes on with; `nil` for no store.
    let base: TemporaryFolder?
    let models: Set<StoreModel>
    /// The store's calls with a file or a descriptor, by name.
    let calls: [String: Calls]

    /// The calls of one name. `before` of them are made on the way to the subject's first line.
    struct Calls: Sendable {
        var before = 0
        var count = 0
    }

    /// One call: the `number`-th of its name that the process makes.
    struct Point: Sendable, CustomStringConvertible {
        let part: SubjectPart
        let call: String
        let number: Int
        var description: String { "\(part.name), \(call) \(number)" }
    }

    /// All parts: making a store, work on it, and recovery from a crash that cut a flush in two.
    static let all = Result { try make() }

    private static func make() throws -> [SubjectPart] {
        let empty: Set = [StoreModel()]
        let created = try SubjectRun("create", from: nil)
        let afterCreation = try SubjectStory(created.output, from: empty).models
        let died = try SubjectRun("die", from: created.folder)
        try tearLastFlush(of: died.folder)
        // Of the last step, which was torn, nobody was told.
        let told = died.output.split(separator: "\n").dropLast(2).joined(separator: "\n") + "\n"
        let afterDeath = try SubjectStory(told, from: afterCreation).models
        return try [
            SubjectPart("create", from: nil, empty),
            SubjectPart("work", from: created.folder, afterCreation),
            SubjectPart("recover", from: died.folder, afterDeath),
        ]
    }

    private init(_ name: String, from base: TemporaryFolder?, _ models: Set<StoreModel>) throws {
        (self.name, self.base, self.models) = (name, base, models)
        let run = try SubjectRun(name, from: base, tracing: "%file,%desc")
        let story = try SubjectStory(run.output, from: models)
        try expect(
            story.isClosed && story.refusals.isEmpty && story.unknown == 0, "\(name) fails by itself:\n\(run.output)")
        calls = try Self.count(run.trace)
        try CrashedStore(path: run.folder.path).expect(story.models)
    }

    private static func count(_ trace: [Substring]) throws -> [String: Calls] {
        var calls: [String: Calls] = [:]
        var hasBegun = false
        var threads: Set<Substring> = []
        for line in trace {
            // `PID NAME(ARGUMENTS…`, a short PID with more spaces behind it.
            let words = line.split(separator: " ", maxSplits: 1)
            let call = words[1].drop { $0 == " " }
            guard let end = call.firstIndex(of: "(") else { continue }
            let name = String(call[..<end])
            if call.hasPrefix("write(1, \"begin") { hasBegun = true }
            if hasBegun { calls[name, default: Calls()].count += 1 } else { calls[name, default: Calls()].before += 1 }
            if hasBegun { threads.insert(words[0]) }
        }
        // Or else the numbers of calls would not name them.
        try expectEqual(threads.count, 1, "threads that call the system")
        return calls.filter { $0.value.count > 0 && !ofTheRuntime.contains($0.key) }
    }

    /// Calls for memory, and to find out about the process, which are not the same each time.
    private static let ofTheRuntime: Set = ["mmap", "munmap", "read", "readlink", "lseek", "ioctl"]

    /// Makes the newest segment's last flush one that a power loss cut in two.
    private static func tearLastFlush(of folder: TemporaryFolder) throws {
        let log = folder.path + "/log"
        let newest = try FileManager.default.contentsOfDirectory(atPath: log).filter { $0.hasSuffix(".jsonl") }.max()!
        var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(log)/\(newest)")))
        let end = bytes.lastIndex { $0 != 0 }!
        for index in end - 40...end { bytes[index] = 0 }
        try Data(bytes).write(to: URL(fileURLWithPath: "\(log)/\(newest)"))
    }

    /// Some of the calls of one name, evenly spread: `share` of them, the first from `offset` on, but not fewer than two.
    func points(_ call: String, share: Double, offset: UInt64) -> [Point] {
        guard let calls = calls[call] else { return [] }
        let wanted = min(calls.count, max(2, Int((Double(calls.count) * share).rounded(.up))))
        let step = Double(calls.count) / Double(wanted)
        let start = step * Double(offset % 1000) / 1000
        return (0..<wanted).map { index in
            Point(part: self, call: call, number: calls.before + 1 + Int(start + Double(index) * step))
        }
    }
}
