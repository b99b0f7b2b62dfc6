import Foundation
import Rootfast

/// A store with one flush a commit, and what it held after each.
struct History {
    let tool: Tool
    /// By sequence: `states[0]` is the empty one.
    private(set) var states: [[String: String]] = [[:]]
    private var store: Store?

    init(_ tool: Tool) { self.tool = tool }

    var newest: UInt64 { UInt64(states.count - 1) }

    /// Nothing but what a test asks for.
    private static var options: Options {
        var options = Options()
        options.maintainsItself = false
        options.snapshotsOnClose = false
        return options
    }

    /// Commits changes in a flush of their own; a `nil` deletes.
    mutating func commit(_ changes: [String: String?]) throws {
        if store == nil { store = try Store.open(tool.store, mode: .createIfMissing, options: Self.options) }
        var state = states.last!
        try store!.write { transaction in
            for (key, value) in changes.sorted(by: { $0.key < $1.key }) {
                state[key] = value
                if let value { try transaction.put(key, value) } else { try transaction.delete(key) }
            }
        }
        states.append(state)
    }

    /// Commits that add, change and delete.
    mutating func grow(by count: Int) throws {
        for _ in 0..<count {
            let number = states.count
            try commit([
                "key \(number * 7 % 23)": "\(number)", "mark \(number % 17)": number % 3 == 0 ? nil : "text \(number)",
                "some \(number % 19)": String(repeating: "\(number) ", count: 40),
                "much \(number % 5)": String(repeating: "\(number) ", count: 400),
            ])
        }
    }

    /// Lets go of the store, so that the tool can have it.
    mutating func close() throws {
        try store?.close()
        store = nil
    }

    /// Commits so much, takes a snapshot, commits so much again, and so on.
    static func filled(_ counts: Int..., in tool: Tool) throws -> History { try filled(counts, in: tool) }

    static func filled(_ counts: [Int], in tool: Tool) throws -> History {
        var history = History(tool)
        for (index, count) in counts.enumerated() {
            if index > 0 { try tool.runWell("compact", tool.store) }
            try history.grow(by: count)
            try history.close()
        }
        return history
    }

    // MARK: - What the tool ought to print

    /// A scan of a state.
    func scan(at sequence: UInt64) -> [String] {
        states[Int(sequence)].sorted { $0.key < $1.key }.map { #"{"key":"\#($0)","value":\#(Self.spelled($1))}"# }
    }

    /// The differences between two states.
    func differences(from: UInt64, to: UInt64) -> [String] {
        let (old, new) = (states[Int(from)], states[Int(to)])
        return Set(old.keys).union(new.keys).sorted().filter { old[$0] != new[$0] }.map { key in
            let members = [("old", old[key]), ("new", new[key])].compactMap { name, value in
                value.map { #","\#(name)":\#(Self.spelled($0))"# }
            }
            return #"{"key":"\#(key)""# + members.joined() + "}"
        }
    }

    /// A number stands as it is, all else as a string.
    private static func spelled(_ value: String) -> String { Int(value) == nil ? "\"\(value)\"" : value }
}

/// The end of a flush, as the log has it.
struct FlushEnd {
    var sequence: UInt64
    var root: String
    /// Seconds since 1970, digit for digit.
    var timestamp: String
}

extension Tool {
    /// Runs `rootfast`, which must succeed.
    @discardableResult
    func runWell(_ arguments: String...) throws -> Run {
        let run = try run(program: Self.path, arguments)
        guard run.status == 0 else { throw Problem("\(arguments) ended with \(run.status): \(run.text)\(run.err)") }
        return run
    }

    /// The flushes of the store's log that end with a commit.
    func flushes() throws -> [FlushEnd] {
        try runWell("log", store).lines.compactMap { line in
            let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            guard record["op"] as? String == "COMMIT", let root = record["root"] as? String,
                let sequence = record["seq"] as? UInt64,
                let timestamp = line.firstMatch(of: /"timestamp":([0-9]+\.[0-9]{6})/)
            else { return nil }
            return FlushEnd(sequence: sequence, root: root, timestamp: String(timestamp.1))
        }
    }

    /// Every file below a folder with its bytes.
    static func files(of folder: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            files[name] = FileManager.default.contents(atPath: "\(folder)/\(name)")
        }
        return files
    }
}
