/// Some threads that commit as fast as they can, for a time.
struct CommitRun {
    let work: Work
    let round: Int
    let keyCount: Int
    let threads: Int
    let seconds: Double

    struct Outcome {
        var commitsPerSecond: Double
        var latencies: Histogram
    }

    /// Counts the commits that begin and end within the time, after a tenth of it to warm up.
    func measure(_ engine: any Engine) throws -> Outcome {
        Quiet.wait()
        let begin = Clock.now + 10_000_000 + UInt64(seconds * 1e8)
        let end = begin + UInt64(seconds * 1e9)
        let histograms = try Crew.run(threads) { [self] thread in
            let traffic = Traffic(over: keyCount, work, round: round, thread: thread)
            return try Self.commit(traffic, by: try engine.makeSession(), from: begin, until: end)
        }
        var all = Histogram()
        for histogram in histograms { all.add(histogram) }
        return Outcome(commitsPerSecond: Double(all.total) / seconds, latencies: all)
    }

    private static func commit(
        _ traffic: Traffic, by session: any Session, from begin: UInt64, until end: UInt64
    ) throws -> Histogram {
        let batch = Batch(count: Shape.keysPerCommit)
        var histogram = Histogram()
        var number = 0
        while true {
            traffic.fill(batch, commit: number)
            let start = Clock.now
            try session.commit(batch)
            let now = Clock.now
            if now > end { return histogram }
            if start >= begin { histogram.add(now - start) }
            number += 1
        }
    }
}
