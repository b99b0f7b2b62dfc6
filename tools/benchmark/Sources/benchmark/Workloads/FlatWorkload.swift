/// Commits by the number of keys that are there: Rootfast, and beside it its ancestor, which writes them all each time.
struct FlatWorkload {
    let plan: Plan

    static func title(_ keyCount: Int) -> String { "\(Figures.grouped(keyCount)) keys" }

    /// Where there is no key, the same few are written again and again.
    private static func written(_ keyCount: Int) -> Int { max(keyCount, Shape.keysPerCommit) }

    func run(on stage: Stage, into results: inout Results) throws {
        try Rounds.interleave(plan.rounds, plan.flatSizes) { round, keyCount in
            Progress.say("\(Work.flat.title), round \(round + 1): \(keyCount)")
            let run = CommitRun(
                work: .flat, round: round, keyCount: Self.written(keyCount), threads: 1, seconds: plan.flatSeconds)
            let outcome = try run.measure(stage.engine(.rootfast, .relaxed, keyCount: keyCount))
            results.add(.flat, Self.title(keyCount), outcome.commitsPerSecond, outcome.latencies)
        }
        let ancestors = try plan.ancestorSizes.map { ($0, try makeAncestor(keyCount: $0, on: stage)) }
        try Rounds.interleave(plan.rounds, ancestors) { round, item in
            let (keyCount, ancestor) = item
            Progress.say("\(Work.ancestor.title), round \(round + 1): \(keyCount)")
            Quiet.wait()
            let rate = try commitsPerSecond(ancestor, keyCount: keyCount, round: round)
            results.add(.ancestor, Self.title(keyCount), rate)
        }
    }

    private func makeAncestor(keyCount: Int, on stage: Stage) throws -> Ancestor {
        let folder = stage.path("ancestor-\(keyCount)")
        try Folder.make(folder)
        let ancestor = Ancestor(folder)
        Load(keyCount: keyCount).forEachBatch { ancestor.load($0) }
        return ancestor
    }

    private func commitsPerSecond(_ ancestor: Ancestor, keyCount: Int, round: Int) throws -> Double {
        let traffic = Traffic(over: Self.written(keyCount), .ancestor, round: round)
        let batch = Batch(count: Shape.keysPerCommit)
        let start = Clock.now
        let end = start + UInt64(plan.flatSeconds * 1e9)
        var count = 0
        while Clock.now < end {
            traffic.fill(batch, commit: count)
            try ancestor.commit(batch)
            count += 1
        }
        return Double(count) / Clock.seconds(since: start)
    }
}
