/// Random gets of keys that are there, by one thread, each value copied to the same buffer.
struct GetWorkload {
    var work = Work.get1
    var mode = Mode.durable
    let plan: Plan

    /// How the figure of `Store.get` is named, beside that of a kept view.
    static let copyingTitle = "Rootfast (store.get)"

    func run(on stage: Stage, into results: inout Results) throws {
        var readers: [(title: String, makeSession: () throws -> any Session)] = []
        for contender in Contender.durable {
            let engine = try stage.engine(contender, mode)
            readers.append((contender.title, engine.makeSession))
            if let engine = engine as? RootfastEngine {
                readers.append((Self.copyingTitle, engine.makeCopyingSession))
            }
        }
        try Rounds.interleave(plan.rounds, readers) { round, reader in
            Progress.say("\(work.title), round \(round + 1): \(reader.title)")
            Quiet.wait()
            let session = try reader.makeSession()
            _ = try getsPerSecond(session, round: round, for: plan.getSeconds / 4)
            let rate = try getsPerSecond(session, round: round, for: plan.getSeconds)
            results.add(work, reader.title, rate)
        }
    }

    private func getsPerSecond(_ session: any Session, round: Int, for seconds: Double) throws -> Double {
        let traffic = Traffic(over: plan.keyCount, work, round: round)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Shape.entryLength, alignment: 8)
        defer { memory.deallocate() }
        let key = UnsafeRawBufferPointer(rebasing: memory[..<Shape.keyLength])
        let value = UnsafeMutableRawBufferPointer(rebasing: memory[Shape.keyLength...])
        var bits = traffic.seed
        var count = 0
        let start = Clock.now
        let end = start + UInt64(seconds * 1e9)
        while Clock.now < end {
            for _ in 0..<100 {
                bits = mixed(bits)
                Key.write(traffic.index(bits), to: memory.baseAddress!)
                guard try session.get(key, into: value) else { throw MissingKey() }
            }
            count += 100
        }
        return Double(count) / Clock.seconds(since: start)
    }
}

/// An engine does not find what was written to it.
struct MissingKey: Error, CustomStringConvertible {
    let description = "a key that was written is not there, or another value"
}
