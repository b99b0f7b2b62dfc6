import Foundation

/// The built tool, and a folder of its own to run it in.
final class Tool {
    /// What a run came to.
    struct Run {
        var status: Int32
        var out: [UInt8]
        var err: String

        var text: String { String(decoding: out, as: UTF8.self) }
        var lines: [String] { text.split(separator: "\n").map(String.init) }
        /// The answer to `--json`.
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(out))) as? [String: Any] ?? [:]
        }
        var error: [String: Any] { json["error"] as? [String: Any] ?? [:] }
    }

    /// Next to the test bundle.
    static let path = Bundle.module.bundleURL.deletingLastPathComponent().appendingPathComponent("rootfast").path
    static let verifier = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../tools/verify_proof.py").standardizedFileURL.path

    let folder: String
    /// Where a store may be.
    var store: String { folder + "/store" }
    private var runCount = 0

    init() throws {
        var template = Array("/tmp/rootfast-tool-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Problem("mkdtemp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Runs `rootfast` with the arguments.
    @discardableResult
    func run(_ arguments: String..., input: String = "") throws -> Run {
        try run(program: Self.path, arguments, input: Array(input.utf8))
    }

    /// Runs `rootfast` in an address space that is no larger: what takes more memory ends it.
    ///
    /// A limit and no measurement, because a process starts out with the peak of the one that started it.
    func run(_ arguments: [String], input: String, memoryKiBMax: Int) throws -> Run {
        try run(arguments, input: input, after: "ulimit -v \(memoryKiBMax)")
    }

    /// Runs `rootfast` from a shell, after a command that changes what it runs in.
    func run(_ arguments: [String], input: String = "", after command: String) throws -> Run {
        let script = "\(command); exec \"$0\" \"$@\""
        return try run(program: "/bin/sh", ["-c", script, Self.path] + arguments, input: Array(input.utf8))
    }

    /// Runs `rootfast` with nobody to read what it prints; its exit code.
    func runUnread(_ arguments: [String]) throws -> Int32 {
        let (reading, writing) = Descriptor.pipe()
        reading.close()
        let (input, errors) = (try Descriptor("/dev/null"), try Descriptor(folder + "/unread.err", writing: true))
        let child = try Child(
            Self.path, arguments, input: input.number, output: writing.number, error: errors.number)
        return withExtendedLifetime((input, writing, errors)) { child.wait() }
    }

    func run(program: String, _ arguments: [String], input: [UInt8] = []) throws -> Run {
        runCount += 1
        let base = "\(folder)/run-\(runCount)"
        try Data(input).write(to: URL(fileURLWithPath: base + ".in"))
        let (out, err) = (base + ".out", base + ".err")
        let (stdin, stdout, stderr) = (
            try Descriptor(base + ".in"), try Descriptor(out, writing: true), try Descriptor(err, writing: true)
        )
        let child = try Child(
            program, arguments, input: stdin.number, output: stdout.number, error: stderr.number)
        let end = withExtendedLifetime((stdin, stdout, stderr)) { child.wait() }
        return Run(
            status: end, out: try Descriptor(out).readAll(),
            err: String(decoding: try Descriptor(err).readAll(), as: UTF8.self))
    }

    /// A file in the folder.
    func file(_ name: String, _ content: String) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The root of the store.
    func root() throws -> String { try run("root", store).lines.first ?? "" }

    /// Every file below a folder with its bytes, and what is known of it besides the time it was read.
    static func snapshot(of folder: String) throws -> [String: String] {
        var found: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
            let path = "\(folder)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let content = FileManager.default.contents(atPath: path)?.hashValue ?? 0
            found[name] = "\(attributes[.modificationDate]!) \(attributes[.size]!) \(content)"
        }
        return found
    }
}

enum Fixture {
    static func path(_ name: String) -> String { Bundle.module.bundlePath + "/Fixtures/" + name }
    static func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    static func json(_ name: String) throws -> NSDictionary {
        let data = try Data(contentsOf: URL(fileURLWithPath: path(name)))
        return try JSONSerialization.jsonObject(with: data) as? NSDictionary ?? [:]
    }

    /// What the lines of a scan come to.
    static func state(_ scan: Tool.Run) throws -> NSDictionary {
        let state = NSMutableDictionary()
        for line in scan.out.split(separator: UInt8(ascii: "\n")) {
            let entry = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
            state[entry?["key"] as? String ?? ""] = entry?["value"]
        }
        return state
    }
}
