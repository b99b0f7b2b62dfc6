/// Opening after a kill, when all that was committed is in the log: until the last commit is read.
///
/// A process of its own writes the log and is killed; each round opens a copy. RocksDB and LevelDB write it with a buffer
/// that holds all of it, without which there would not be so much log, and replay it with a small one, which is several
/// times faster.
struct ReopenWorkload {
    let plan: Plan

    func run(on stage: Stage, into results: inout Results) throws {
        let logs = try Contender.replaying.map { contender in
            let commitCount = plan.logBytes / contender.logBytesPerCommit
            Progress.say("writing \(commitCount) commits to the log of \(contender.title), and killing it")
            let folder = stage.path("reopen-\(contender.rawValue)")
            try Folder.make(folder)
            try WriteLogCommand.run(contender, folder: folder, commitCount: commitCount, keyCount: plan.keyCount)
            return Log(contender: contender, folder: folder, commitCount: commitCount)
        }
        try Rounds.interleave(plan.rounds, logs) { round, log in
            Progress.say("\(Work.reopen.title), round \(round + 1): \(log.contender.title)")
            let copy = stage.path("reopen-copy")
            try Folder.copy(log.folder, to: copy)
            Quiet.wait()
            results.add(.reopen, log.contender.title, Double(log.commitCount) / (try secondsToOpen(log, copy)))
            Folder.remove(copy)
        }
        for log in logs { Folder.remove(log.folder) }
    }

    private struct Log {
        let contender: Contender
        let folder: String
        let commitCount: Int
    }

    private func secondsToOpen(_ log: Log, _ folder: String) throws -> Double {
        let batch = Batch(count: Shape.keysPerCommit)
        Traffic(over: plan.keyCount, .reopen, round: 0).fill(batch, commit: log.commitCount - 1)
        let value = UnsafeMutableRawBufferPointer.allocate(byteCount: Shape.valueLength, alignment: 8)
        defer { value.deallocate() }

        let start = Clock.now
        let engine = try log.contender.open(folder, .replaying)
        var isWhole = true
        do {
            let session = try engine.makeSession()
            for position in 0..<batch.count {
                let isFound = try session.get(batch.key(position), into: value)
                isWhole = isWhole && isFound && batch.value(position).elementsEqual(value)
            }
        }
        let seconds = Clock.seconds(since: start)
        try engine.close()
        guard isWhole else { throw MissingKey() }
        return seconds
    }
}
