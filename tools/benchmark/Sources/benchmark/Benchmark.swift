import ArgumentParser
import Foundation

/// Measures Rootfast beside other embedded stores: the same keys and the same commits for all, in rounds that go around
/// among them.
@main
struct Benchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tools/bench",
        abstract: "Measures Rootfast beside SQLite, LMDB, RocksDB and LevelDB.",
        discussion: """
            Nothing else should be running meanwhile: neither on the processor nor on the disk.
            """,
        subcommands: [FillCommand.self, WriteLogCommand.self, JournaledCommand.self])

    @Flag(help: "Do it all in under ten minutes: fewer and shorter rounds.")
    var quick = false

    @Option(help: ArgumentHelp("Write every figure and the ratios to a file.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a chart to a file.", valueName: "file"))
    var svg: String?

    @Option(help: ArgumentHelp("Measure these parts only: \(Part.names).", valueName: "a,b"))
    var only: String?

    @Option(help: ArgumentHelp("Where the stores are made, in a fresh folder that is removed.", valueName: "path"))
    var folder = ".bench"

    @Flag(help: "Measure even in a folder in memory, where nothing is durable and the figures mean little.")
    var allowMemory = false

    @Option(help: "How many rounds.")
    var rounds: Int?

    @Option(help: "How many keys each store holds.")
    var keys: Int?

    @Option(help: "How many seconds a run of durable commits lasts; others last in proportion.")
    var seconds: Double?

    @Option(help: "How much log is replayed after a kill.")
    var logMegabytes: Int?

    func validate() throws {
        _ = try parts
        guard plan.rounds >= 1, plan.keyCount >= 1000, plan.seconds > 0, plan.logBytes > 0 else {
            throw ValidationError("at least one round, a thousand keys, and some time and log")
        }
    }

    func run() throws {
        let stores = folder + "/stores-\(getpid())"
        try Folder.make(stores)
        defer { removeOwn(stores) }
        guard allowMemory || Mount(holding: stores)?.isInMemory != true else {
            throw ValidationError(
                "\(folder) lives in memory: a sync costs nothing there. Give a --folder on a disk, or --allow-memory.")
        }
        let interruption = onInterruption { removeOwn(stores) }
        defer { interruption.cancel() }

        let machine = Machine(folder: stores)
        let stage = Stage(folder: stores, keyCount: plan.keyCount)
        let results = try Schedule(plan: plan, parts: parts, stage: stage).run()
        let report = Report(results, plan, machine: machine, date: Date())
        print(Table(report).text)
        if let json { try Document(report).encoded().write(to: URL(fileURLWithPath: json)) }
        if let svg { try Data(Chart(report).text.utf8).write(to: URL(fileURLWithPath: svg)) }
    }

    private var plan: Plan {
        var plan = quick ? Plan.quick : .full
        if let rounds { plan.rounds = rounds }
        if let keys { plan.keyCount = keys }
        if let seconds { plan.seconds = seconds }
        if let logMegabytes { plan.logBytes = logMegabytes << 20 }
        return plan
    }

    private var parts: Set<Part> {
        get throws {
            guard let only else { return Set(Part.allCases) }
            return try Set(
                only.split(separator: ",").map { name in
                    guard let part = Part(rawValue: String(name)) else {
                        throw ValidationError("there is no part \(name); there are \(Part.names)")
                    }
                    return part
                })
        }
    }

    /// Removes the stores, and the folder that they are in if nothing else is.
    private func removeOwn(_ stores: String) {
        Folder.remove(stores)
        rmdir(folder)
    }

    private func onInterruption(_ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            body()
            _exit(130)
        }
        source.resume()
        return source
    }
}
