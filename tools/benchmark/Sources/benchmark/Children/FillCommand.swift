import ArgumentParser

/// What filling a store took.
struct FillReport: Codable {
    /// What the process grew by, when the store was full and still open; and the most that it ever had.
    let memory: ProcessMemory
    let peakMemory: Int
    let bytesWritten: Int
}

/// Fills a store, so that its memory and what it writes can be told from those of others.
struct FillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fill", shouldDisplay: false)

    @Argument var contender: String
    @Argument var folder: String
    @Argument var keyCount: Int

    static func run(_ contender: Contender, folder: String, keyCount: Int) throws -> FillReport {
        try Child(arguments: ["fill", contender.rawValue, folder, String(keyCount)]).answer(FillReport.self)
    }

    func run() throws {
        let contender = try Contender.named(contender)
        let memoryBefore = ProcessMemory.now
        let counter = WriteCounter(folder: folder)
        let engine = try contender.open(folder, .loading)
        do {
            let session = try engine.makeSession()
            try Load(keyCount: keyCount).forEachBatch(session.commit)
        }
        let memory = ProcessMemory.now - memoryBefore
        let peak = ProcessMemory.peak
        try engine.close()
        try Child.answer(FillReport(memory: memory, peakMemory: peak, bytesWritten: counter.bytes()))
    }
}

extension Contender {
    static func named(_ name: String) throws -> Contender {
        guard let contender = Contender(rawValue: name) else { throw ValidationError("there is no engine \(name)") }
        return contender
    }
}
