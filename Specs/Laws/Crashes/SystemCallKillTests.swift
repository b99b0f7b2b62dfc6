import Rootfast
import SpecSupport
import Testing

/// Whatever system call a process dies at, while it makes a store, commits, votes, decides, begins segments, takes
/// snapshots, compacts, reclaims, closes, opens again and recovers: the store holds what it was acknowledged to hold.
@Suite(.serialized, .enabled(if: SubjectRun.hasStrace, "there is no strace here, so nothing is killed"))
struct SystemCallKillTests {
    /// So many of the calls by default; `ROOTFAST_CASES=x20` is all of them.
    private static let pointCount = 300

    @Test func `a process killed at any system call loses nothing that it acknowledged`() throws {
        let parts = try SubjectPart.all.get()
        let all = parts.flatMap { $0.calls.values.map(\.count) }.reduce(0, +)
        let settings = LawSettings.environment
        let share = min(1, Double(settings.caseCount(Self.pointCount)) / Double(all))
        var reach = Reach()
        for part in parts {
            for call in part.calls.keys.sorted() {
                for point in part.points(call, share: share, offset: settings.seed) {
                    do { try Self.kill(at: point, &reach) } catch { Issue.record("killed at \(point): \(error)") }
                }
            }
        }
        reach.report("a kill at each system call", "\(share == 1 ? "all" : "a sample") of \(all) calls")
        if settings.caseCount(Self.pointCount) >= Self.pointCount {
            for (what, count) in Self.reaching { try reach.require(reached: what, atLeast: count) }
        }
    }

    private static let reaching = [
        "points": 250, "pwrite64": 30, "fdatasync": 12, "fsync": 4, "renameat": 3, "openat": 10, "unlink": 2,
        "unlinkat": 2, "ftruncate": 3, "acknowledged": 500, "unanswered, done": 2, "unanswered, not done": 3,
        "torn tail": 2,
    ]

    private static func kill(at point: SubjectPart.Point, _ reach: inout Reach) throws {
        let part = point.part
        let run = try SubjectRun(
            part.name, from: part.base, tracing: point.call, injecting: "signal=KILL:when=\(point.number)")
        try expect(!run.hasExited, "it was not killed, but ended:\n\(run.output)")
        let story = try SubjectStory(run.output, from: part.models)
        try expect(story.refusals.isEmpty && story.unknown == 0 && story.ended == nil, "a step failed:\n\(run.output)")
        let found = try CrashedStore(path: run.folder.path).expect(story.models)
        reach.count("points")
        reach.count(point.call)
        reach.count("acknowledged", story.acknowledged)
        if story.models.count > 1 {
            let isDone = found.model.sequence == story.models.map(\.sequence).max()
            reach.count(isDone ? "unanswered, done" : "unanswered, not done")
        }
        if found.recovery.tornTail != nil { reach.count("torn tail") }
    }
}
