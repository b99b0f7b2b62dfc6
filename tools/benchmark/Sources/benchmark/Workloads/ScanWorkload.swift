/// All entries in the order of their keys.
struct ScanWorkload {
    let plan: Plan

    func run(on stage: Stage, into results: inout Results) throws {
        for contender in Contender.durable { _ = try stage.engine(contender, .durable) }
        try Rounds.interleave(plan.rounds, Contender.durable) { round, contender in
            Progress.say("\(Work.scan.title), round \(round + 1): \(contender.title)")
            let engine = try stage.engine(contender, .durable)
            Quiet.wait()
            results.add(.scan, contender.title, try keysPerSecond(engine))
        }
    }

    /// Scans again and again until it has taken a while.
    private func keysPerSecond(_ engine: any Engine) throws -> Double {
        let start = Clock.now
        var count = 0
        repeat {
            let sum = try engine.scan()
            guard sum.count == plan.keyCount else { throw MissingKey() }
            count += sum.count
        } while Clock.seconds(since: start) < plan.seconds / 4
        return Double(count) / Clock.seconds(since: start)
    }
}
