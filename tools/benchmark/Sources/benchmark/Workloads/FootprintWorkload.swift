/// What a store costs besides time: memory once it is filled, and what it writes to the device.
struct FootprintWorkload {
    let plan: Plan

    func measureMemory(on stage: Stage, into results: inout Results) throws {
        for contender in Contender.durable {
            let report = try stage.fill(contender, .durable)
            let keyCount = Double(plan.keyCount)
            results.add(.memory, contender.title, Double(report.memory.resident) / keyCount)
            results.add(.memory, contender.title + ": of it not of files", Double(report.memory.anonymous) / keyCount)
            results.add(.memory, contender.title + ": peak of the process", Double(report.peakMemory) / keyCount)
        }
    }

    /// Bytes written to the device for each byte of keys and values, by one durable writer: each round the same load and
    /// commits of its own.
    func measureWriting(on stage: Stage, into results: inout Results) throws {
        for contender in Contender.durable { _ = try stage.engine(contender, .durable) }
        try Rounds.interleave(plan.writtenRounds, Contender.durable) { round, contender in
            Progress.say("\(Work.written.title), round \(round + 1): \(contender.title)")
            let load = try stage.fill(contender, .durable)
            let engine = try stage.engine(contender, .durable)
            Quiet.wait()
            let counter = WriteCounter(folder: stage.folder)
            try commit(to: engine, round: round)
            let bytes = Double(counter.bytes())
            let logical = Double(plan.writtenCommitCount * Shape.keysPerCommit * Shape.entryLength)
            let loadLogical = Double(plan.keyCount * Shape.entryLength)
            let ofAll = (Double(load.bytesWritten) + bytes) / (loadLogical + logical)
            results.add(.written, contender.title, ofAll)
            results.add(.writtenByCommits, contender.title, bytes / logical)
            if round == 0, counter.source == .process {
                results.notes.append(
                    "written: \(contender.title)'s device does not count; these are the bytes that its process wrote")
            }
        }
    }

    private func commit(to engine: any Engine, round: Int) throws {
        let session = try engine.makeSession()
        let traffic = Traffic(over: plan.keyCount, .written, round: round)
        let batch = Batch(count: Shape.keysPerCommit)
        for number in 0..<plan.writtenCommitCount {
            traffic.fill(batch, commit: number)
            try session.commit(batch)
        }
    }
}
