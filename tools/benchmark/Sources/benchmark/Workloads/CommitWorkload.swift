/// Commits of four random keys by some threads, side by side: durable, not durable, or on another file system.
struct CommitWorkload {
    let contenders: [Contender]
    let mode: Mode
    let seconds: Double
    let plan: Plan

    func run(_ work: Work, threads: Int, on stage: Stage, into results: inout Results) throws {
        for contender in contenders { _ = try stage.engine(contender, mode) }
        let disk = work == .durable1 ? try BareDisk(folder: stage.folder) : nil
        try Rounds.interleave(plan.rounds, contenders) { round, contender in
            Progress.say("\(work.title), round \(round + 1): \(contender.title)")
            let run = CommitRun(
                work: work, round: round, keyCount: plan.keyCount, threads: threads, seconds: seconds)
            let engine = try stage.engine(contender, mode)
            guard let disk, contender == .rootfast else {
                let outcome = try run.measure(engine)
                results.add(work, contender.title, outcome.commitsPerSecond, outcome.latencies)
                return
            }
            // What the disk can do is measured right before and right after.
            let before = try disk.writesPerSecond(for: seconds / 2)
            let outcome = try run.measure(engine)
            let after = try disk.writesPerSecond(for: seconds / 2)
            results.add(work, contender.title, outcome.commitsPerSecond, outcome.latencies)
            results.add(.bareDisk, BareDisk.title, (before + after) / 2)
        }
    }
}
