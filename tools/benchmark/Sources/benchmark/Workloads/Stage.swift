import Foundation

/// The stores that are measured: each filled once, by a process of its own, opened, read once from end to end, so that
/// all of them start with their state in memory, and kept open from then on.
final class Stage {
    let folder: String
    private let keyCount: Int
    private var engines: [String: any Engine] = [:]
    private var reports: [String: FillReport] = [:]

    init(folder: String, keyCount: Int) {
        self.folder = folder
        self.keyCount = keyCount
    }

    /// The open store of a contender with so many keys, all unless told.
    func engine(_ contender: Contender, _ mode: Mode, keyCount: Int? = nil) throws -> any Engine {
        let name = name(contender, mode, keyCount)
        if let engine = engines[name] { return engine }
        _ = try fill(contender, mode, keyCount: keyCount)
        let engine = try contender.open(path(name), mode)
        _ = try engine.scan()
        engines[name] = engine
        return engine
    }

    /// Fills the store of a contender, unless that is done, and says what it took.
    func fill(_ contender: Contender, _ mode: Mode, keyCount: Int? = nil) throws -> FillReport {
        let name = name(contender, mode, keyCount)
        if let report = reports[name] { return report }
        Progress.say("filling \(contender.title) with \(keyCount ?? self.keyCount) keys")
        try Folder.make(path(name))
        let report = try FillCommand.run(contender, folder: path(name), keyCount: keyCount ?? self.keyCount)
        reports[name] = report
        return report
    }

    /// Closes all stores and removes them.
    func clear() throws {
        for (name, engine) in engines.sorted(by: { $0.key < $1.key }) {
            try engine.close()
            Folder.remove(path(name))
        }
        engines = [:]
        reports = [:]
    }

    /// Where something of this name may be made.
    func path(_ name: String) -> String { folder + "/" + name }

    private func name(_ contender: Contender, _ mode: Mode, _ keyCount: Int?) -> String {
        "\(contender.rawValue)-\(mode.durability.rawValue)-\(mode.cacheBytes >> 20)-\(keyCount ?? self.keyCount)"
    }
}
