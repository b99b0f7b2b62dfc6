import Foundation
import SeededRandom
import SpecSupport
import Testing

/// Whatever call to the system fails, the store says so with an error that has a type, or comes through: it never dies,
/// and holds afterwards what it was acknowledged to hold and nothing that it refused.
@Suite(.serialized)
struct FailingCallTests {
    /// So many of the calls and errors by default; `ROOTFAST_CASES=x50` is all of them.
    private static let pointCount = 300
    /// By these the subject speaks.
    private static let spared: Set = ["write"]

    @Test(.enabled(if: SubjectRun.hasStrace, "there is no strace here, so no system call fails"))
    func `a system call that fails leads to a typed error or to success, and to no lie`() throws {
        let settings = LawSettings.environment
        let parts = try SubjectPart.all.get()
        let kinds = parts.flatMap { part in
            part.calls.keys.filter { !Self.spared.contains($0) }.sorted().flatMap { call in
                Self.failures(of: call).map { (part: part, call: call, failure: $0) }
            }
        }
        let all = kinds.map { $0.part.calls[$0.call]!.count }.reduce(0, +)
        let share = min(1, Double(settings.caseCount(Self.pointCount)) / Double(all))
        let runs = kinds.flatMap { part, call, failure in
            part.points(call, share: share, offset: settings.seed).map { (point: $0, failure: failure) }
        }
        let (reach, faults) = sideBySide(runs.count) { index, reach in
            let (point, failure) = runs[index]
            do { try Self.fail(failure, at: point, &reach) } catch {
                try expect(false, "\(failure) at \(point): \(error)")
            }
        }
        for fault in faults { Issue.record(fault) }
        reach.report("a failure of each system call", "\(share == 1 ? "all" : "a sample") of \(all) failures")
        if settings.caseCount(Self.pointCount) >= Self.pointCount {
            for (what, count) in Self.reaching { try reach.require(reached: what, atLeast: count) }
        }
    }

    private static let reaching = [
        "points": 200, "EIO": 80, "ENOSPC": 30, "EINTR": 60, "nothing written": 4, "acknowledged": 1000, "refused": 50,
        "unknown": 2, "gave up": 10, "came through": 50, "no room, and then room": 2,
    ]

    /// What can be made of a call: errors, and a write that writes nothing.
    private static func failures(of call: String) -> [String] {
        let isGrowing = ["pwrite64", "openat", "renameat", "fallocate", "mkdirat", "mkdir", "fsync", "fdatasync"]
        return ["error=EIO", "error=EINTR"] + (isGrowing.contains(call) ? ["error=ENOSPC"] : [])
            + (call == "pwrite64" ? ["retval=0"] : [])
    }

    private static func fail(_ failure: String, at point: SubjectPart.Point, _ reach: inout Reach) throws {
        let part = point.part
        let run = try SubjectRun(
            part.name, from: part.base, tracing: point.call, injecting: "\(failure):when=\(point.number)")
        try expect(run.trace.contains { $0.hasSuffix("(INJECTED)") }, "the call was not reached:\n\(run.output)")
        reach.count(failure == "retval=0" ? "nothing written" : String(failure.dropFirst(6)))
        let story = try verify(run, of: part, &reach)
        guard story.refusals.contains("noSpace") else { return }
        // There is room again right after.
        try expect(
            !story.refusals.contains("poisoned") && story.unknown == 0, "writers do not go on:\n\(run.output)")
        reach.count("no room, and then room")
    }

    /// Fails unless all was told as it is.
    @discardableResult
    private static func verify(
        _ run: SubjectRun, of part: SubjectPart, _ reach: inout Reach
    ) throws -> SubjectStory {
        reach.count("points")
        try expect(run.hasExited, "it died:\n\(run.output)")
        let story = try SubjectStory(run.output, from: part.models)
        try expect(story.isClosed || story.ended != nil, "it did not come to its end:\n\(run.output)")
        // A disk that does not answer says nothing of what is on it.
        try expect(!run.output.contains("corrupt"), "a failing call is told as damage:\n\(run.output)")
        do { try CrashedStore(path: run.folder.path).expect(story.models) } catch {
            try expect(false, "\(error)\n\(run.output)")
        }
        reach.count("acknowledged", story.acknowledged)
        reach.count("refused", story.refusals.count)
        reach.count("unknown", story.unknown)
        reach.count(
            story.ended != nil ? "gave up" : !story.refusals.isEmpty || story.unknown > 0 ? "went on" : "came through")
        return story
    }

    // MARK: - libfiu

    private static let libraries = ["/usr/lib/fiu/fiu_run_preload.so", "/usr/lib/fiu/fiu_posix_preload.so"]
    private static let hasLibfiu = libraries.allSatisfy { FileManager.default.fileExists(atPath: $0) }
    private static let functions = [
        "oc/open", "oc/close", "sync/fsync", "sync/fdatasync", "rw/pread", "rw/pwrite", "rw/ftruncate", "dir/readdir",
        "dir/fdopendir", "dir/unlink",
    ]

    /// Here many calls of one run fail, at random moments that no seed repeats.
    @Test(.enabled(if: hasLibfiu, "libfiu is not installed here (fiu-utils), so none of its failures are tried"))
    func `functions of the C library that fail again and again lead to typed errors and to no lie`() throws {
        let settings = LawSettings.environment
        var random = SeededGenerator(seed: settings.seed)
        var reach = Reach()
        let parts = try SubjectPart.all.get()
        for index in 0..<settings.caseCount(60) {
            let part = parts[index % parts.count]
            let function = Self.functions[index / parts.count % Self.functions.count]
            // EIO, ENOSPC, EINTR, EINVAL.
            let errno = [5, 28, 4, 22][Int(random.next() % 4)]
            let failures =
                "enable_random name=posix/io/\(function),probability=0.0\(1 + random.next() % 9),failinfo=\(errno)"
            do {
                let run = try SubjectRun(part.name, from: part.base, environment: Self.preloading(failures))
                try Self.verify(run, of: part, &reach)
            } catch {
                Issue.record("\(failures) in \(part.name): \(error)")
            }
        }
        reach.report("functions that fail again and again", "libfiu")
        for (what, count) in ["points": 50, "refused": 10, "gave up": 2, "came through": 2]
        where settings.caseCount(60) >= 60 {
            try reach.require(reached: what, atLeast: count)
        }
    }

    @Test(.enabled(if: hasLibfiu && SubjectRun.hasStrace, "libfiu or strace is not installed here"))
    func `writes and reads that end short are gone on with`() throws {
        var reach = Reach()
        for part in try SubjectPart.all.get() {
            for function in ["pread", "pwrite"] {
                let failures = "enable name=posix/io/rw/\(function)/reduce"
                let run = try SubjectRun(
                    part.name, from: part.base, tracing: function + "64", environment: Self.preloading(failures))
                do { try Self.verify(run, of: part, &reach) } catch {
                    Issue.record("\(failures) in \(part.name): \(error)")
                }
                // What ends short is asked for again, so there are more calls.
                reach.count("short \(function)", max(0, run.trace.count - part.calls[function + "64"]!.count))
            }
        }
        reach.report("calls that end short", "libfiu")
        try reach.require(reached: "short pread", atLeast: 100)
        try reach.require(reached: "short pwrite", atLeast: 100)
    }

    private static func preloading(_ failures: String) -> [String: String] {
        ["LD_PRELOAD": libraries.joined(separator: " "), "FIU_ENABLE": failures, "FIU_CTRL_FIFO": ""]
    }
}
