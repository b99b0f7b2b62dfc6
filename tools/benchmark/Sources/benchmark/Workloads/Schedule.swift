/// The parts that were asked for, in their order: what is read is as the load left it, and what is written comes after.
struct Schedule {
    let plan: Plan
    let parts: Set<Part>
    let stage: Stage

    func run() throws -> Results {
        var results = Results()
        try measureDurable(&results)
        try stage.clear()
        try measureRelaxed(&results)
        try stage.clear()
        if parts.contains(.beyond) { try measureBeyondMemory(&results) }
        try stage.clear()
        if parts.contains(.reopen) { try ReopenWorkload(plan: plan).run(on: stage, into: &results) }
        if parts.contains(.journaled) { try JournaledWorkload(plan: plan).run(on: stage, into: &results) }
        return results
    }

    private func measureDurable(_ results: inout Results) throws {
        let footprint = FootprintWorkload(plan: plan)
        if parts.contains(.memory) { try footprint.measureMemory(on: stage, into: &results) }
        if parts.contains(.get) { try GetWorkload(plan: plan).run(on: stage, into: &results) }
        if parts.contains(.scan) { try ScanWorkload(plan: plan).run(on: stage, into: &results) }
        if parts.contains(.written) { try footprint.measureWriting(on: stage, into: &results) }
        if parts.contains(.durable) {
            let commits = CommitWorkload(
                contenders: Contender.durable, mode: .durable, seconds: plan.seconds, plan: plan)
            try commits.run(.durable1, threads: 1, on: stage, into: &results)
            try commits.run(.durable16, threads: 16, on: stage, into: &results)
            try commits.run(.durable64, threads: 64, on: stage, into: &results)
        }
    }

    /// With caches too small for the state; the system's own cache is as large as ever, for all of them.
    private func measureBeyondMemory(_ results: inout Results) throws {
        try GetWorkload(work: .get1BeyondMemory, mode: .beyondMemory, plan: plan).run(on: stage, into: &results)
        let commits = CommitWorkload(
            contenders: Contender.durable, mode: .beyondMemory, seconds: plan.seconds, plan: plan)
        try commits.run(.durable16BeyondMemory, threads: 16, on: stage, into: &results)
    }

    private func measureRelaxed(_ results: inout Results) throws {
        if parts.contains(.async) {
            let commits = CommitWorkload(
                contenders: Contender.relaxed, mode: .relaxed, seconds: plan.asyncSeconds, plan: plan)
            try commits.run(.async1, threads: 1, on: stage, into: &results)
            try commits.run(.async2, threads: 2, on: stage, into: &results)
        }
        if parts.contains(.flat) { try FlatWorkload(plan: plan).run(on: stage, into: &results) }
    }
}
