import Foundation

/// RVC v2, the ancestor of Rootfast, as it commits: it writes its whole state, as JSON, at each commit. Nothing is synced.
///
/// Written anew in Swift, which makes it faster than it was.
final class Ancestor {
    private let path: String
    private var state: [[UInt8]: [UInt8]] = [:]
    private var text: [UInt8] = []

    init(_ folder: String) { path = folder + "/state.json" }

    func load(_ batch: Batch) {
        for position in 0..<batch.count { state[Array(batch.key(position))] = Array(batch.value(position)) }
    }

    func commit(_ batch: Batch) throws {
        load(batch)
        serialise()
        try write()
    }

    private func serialise() {
        text.removeAll(keepingCapacity: true)
        text.append(UInt8(ascii: "{"))
        for (key, value) in state {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            append(string: key)
            text.append(UInt8(ascii: ":"))
            append(string: value)
        }
        text.append(UInt8(ascii: "}"))
    }

    private func append(string: [UInt8]) {
        text.append(UInt8(ascii: "\""))
        let isPlain = string.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        precondition(isPlain, "the benchmark's keys and values are plain letters")
        text.append(contentsOf: string)
        text.append(UInt8(ascii: "\""))
    }

    private func write() throws {
        let file = try SystemFile(path, O_WRONLY | O_CREAT | O_TRUNC)
        try text.withUnsafeBytes { try file.write($0, at: 0) }
    }
}
