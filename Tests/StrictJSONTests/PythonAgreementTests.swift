import Foundation
import SeededRandom
import StrictJSON
import Testing

/// Python's json module as the oracle of what JSON is; what it lets pass and we do not (duplicate keys, lone
/// surrogates, NaN, depth) is added to it in a few lines.
@Suite struct PythonAgreementTests {
    private static let oracle = #"""
        import json, sys
        def pairs(items):
            if len({k for k, _ in items}) != len(items): raise ValueError("duplicate")
            return dict(items)
        def constant(name): raise ValueError(name)
        def depth(v):
            if isinstance(v, dict): return 1 + max([0] + [depth(x) for x in v.values()])
            if isinstance(v, list): return 1 + max([0] + [depth(x) for x in v])
            return 0
        def is_valid(text):
            try:
                s = text.decode("utf-8")
                if s.startswith("\ufeff"): return False
                v = json.loads(s, object_pairs_hook=pairs, parse_constant=constant, parse_int=str, parse_float=str)
                json.dumps(v, ensure_ascii=False).encode("utf-8")
                return depth(v) <= 32
            except ValueError:
                return False
        for number, line in enumerate(open(sys.argv[1])):
            verdict, text = line.rstrip("\n").split(":")
            if is_valid(bytes.fromhex(text)) != (verdict == "1"):
                print(number, verdict, bytes.fromhex(text)); sys.exit(1)
        """#

    @Test func `Python accepts the same texts, in 30,000 damaged ones`() throws {
        var random = SeededGenerator(seed: 20_261_121)
        var lines = ""
        var acceptedCount = 0
        for _ in 0..<30_000 {
            let text = Self.damagedText(&random)
            let isValid = fault(text, allowsWhiteSpace: true) == nil
            acceptedCount += isValid ? 1 : 0
            lines += (isValid ? "1:" : "0:") + text.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\n"
        }
        #expect((5_000...25_000).contains(acceptedCount))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("texts-\(getpid())")
        defer { try? FileManager.default.removeItem(at: file) }
        try lines.write(to: file, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.oracle, file.path]
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus == 127 { return print("SKIPPED: python3 is absent, nothing to agree with") }
        #expect(process.terminationStatus == 0)
    }

    private static let pieces = [
        "{", "}", "[", "]", ",", ":", " ", "\n", "0", "-1", "1.5", "1e999", "1E-2", "01", "true", "null", "false",
        "\"a\"",
        "\"\"", "\"a\":1", "\"\\u0061\":2", "\"é\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\"\\n\"", "\"\\x\"", "NaN",
        "\"\t\"", "\\",
        "\u{feff}", "\u{a0}", "\u{7f}",
    ]

    /// A random value, as a person or another program might spell it, and in two of three texts a piece put in or taken out.
    private static func damagedText(_ random: inout SeededGenerator) -> [UInt8] {
        var text = bytes(value(&random, depth: 0))
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            let piece = bytes(pieces.randomElement(using: &random)!)
            text.insert(contentsOf: piece, at: .random(in: 0...text.count, using: &random))
        case 1: text.remove(at: .random(in: text.indices, using: &random))
        default: break
        }
        return text
    }

    private static func value(_ random: inout SeededGenerator, depth: Int) -> String {
        let space = ["", "", " ", "\r\n\t"].randomElement(using: &random)!
        let count = depth < 5 ? Int.random(in: 0...3, using: &random) : 0
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            let members = (0..<count).map { _ in
                "\(space)\"\(["a", "b", "\\u0061", "é", "e\u{301}", ""].randomElement(using: &random)!)\"\(space):"
                    + value(&random, depth: depth + 1)
            }
            return "{" + members.joined(separator: ",") + "\(space)}"
        case 1:
            return "[\(space)"
                + (0..<count).map { _ in value(&random, depth: depth + 1) }.joined(separator: "\(space),") + "]"
        case 2:
            let nesting = depth == 0 ? Int.random(in: 30...34, using: &random) : 1
            return String(repeating: "[", count: nesting) + String(repeating: "]", count: nesting) + space
        default:
            return space + ["1", "-0.5e1", "true", "null", "\"x\\ud83d\\ude00\"", "\"\\/\""].randomElement(
                using: &random)!
        }
    }
}
