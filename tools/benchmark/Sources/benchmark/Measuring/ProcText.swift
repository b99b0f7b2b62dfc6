import Foundation

/// Reads the small texts by which Linux tells about itself.
enum ProcText {
    static func read(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The lines `name: value` of a text; of those with the same name, the first.
    static func fields(_ path: String) -> [String: String] {
        let pairs = (read(path) ?? "").split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return (parts[0].trimmingCharacters(in: .whitespaces), parts[1].trimmingCharacters(in: .whitespaces))
        }
        return Dictionary(pairs) { first, _ in first }
    }

    /// The number that a value begins with.
    static func number(_ value: String) -> Int? { Int(value.prefix { $0.isNumber }) }
}
