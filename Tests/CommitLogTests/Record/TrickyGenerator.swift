import CommitLog
import Hashing
import SeededRandom
import StrictJSON

/// A seeded random generator of keys, values and records, biased to what is easily got wrong.
struct TrickyGenerator: RandomNumberGenerator {
    private var random: SeededGenerator
    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func next() -> UInt64 { random.next() }

    private static let pieces: [[UInt8]] =
        [
            "\"", "\\", "{", "}", "[", "]", ":", ",", "$", "$base64", "null", "true", "false", "0", "-", "1", "1.5",
            "1e999",
            "01", "é", "e\u{301}", "\u{301}", "😀", "\0", "\u{1}", "\n", "\u{1f}", " ", "\u{7f}", "\u{80}", "\u{9f}",
            "\u{2028}",
            "\u{feff}", "\\ud83d", "\\ude00", "\\u0041", "\\u0024base64", "\\n", "\\u001f", "a", "b", "abcdefgh", "{}",
            "[]",
            "{\"a\":1}", "{\"$base64\":\"/w==\"}", "{\"\\u0024base64\":1}", "{\"$base64\":1,\"b\":2}", "[1,\"x\"]",
            "\"text\"",
            ",\"crc\":\"00000000\"}", "}\n", "/w==", "=",
        ].map { Array($0.utf8) } + [
            [0xFF], [0xC3], [0xA9], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        ]

    mutating func bytes(pieces count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in Self.pieces.randomElement(using: &self)! }
    }

    mutating func key() -> [UInt8] {
        let key = bytes(pieces: .random(in: 1...4, using: &self))
        return Int.random(in: 0..<200, using: &self) == 0
            ? Array((key + Array(repeating: 0x61, count: 1_024)).prefix(1_024)) : key
    }

    mutating func value() -> [UInt8] {
        switch Int.random(in: 0..<4, using: &self) {
        case 0: bytes(pieces: .random(in: 0...6, using: &self))
        case 1: Array(json(depth: 0).utf8)
        case 2: damaged(Array(json(depth: 0).utf8))
        default: (0..<Int.random(in: 0...12, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
        }
    }

    /// JSON that stands as it is, or nearly: some nests too deep, some has a key twice.
    private mutating func json(depth: Int) -> String {
        let count = depth < 4 ? Int.random(in: 0...3, using: &self) : 0
        switch Int.random(in: 0..<5, using: &self) {
        case 0:
            let members = (0..<count).map { _ in "\"\(string())\":\(json(depth: depth + 1))" }
            return "{" + members.joined(separator: ",") + "}"
        case 1: return "[" + (0..<count).map { _ in json(depth: depth + 1) }.joined(separator: ",") + "]"
        case 2: return "\"\(string())\""
        case 3 where depth == 0:
            let nesting = Int.random(in: 30...34, using: &self)
            return String(repeating: "[", count: nesting) + String(repeating: "]", count: nesting)
        default: return ["0", "-0", "1.5e3", "1e999", "true", "false", "null"].randomElement(using: &self)!
        }
    }

    /// The inside of a JSON string.
    private mutating func string() -> String {
        ["", "a", "b", "é", "\\u00e9", "\\n", "\\ud83d\\ude00", "$base64", "\\u0024base64", "\\\"", "\\/", "\u{7f}"]
            .randomElement(using: &self)!
    }

    /// With one byte changed, left out or put in.
    mutating func damaged(_ text: [UInt8]) -> [UInt8] {
        var text = text
        let position = Int.random(in: text.indices, using: &self)
        switch Int.random(in: 0..<3, using: &self) {
        case 0: text[position] = .random(in: 0...255, using: &self)
        case 1: text.remove(at: position)
        default: text.insert(Array("\" \\,:0{}[]".utf8).randomElement(using: &self)!, at: position)
        }
        return text
    }

    mutating func changes(countMax: Int) -> [Change] {
        var values: [[UInt8]: [UInt8]?] = [:]
        for _ in 0..<Int.random(in: 1...countMax, using: &self) {
            values[key()] = Int.random(in: 0..<8, using: &self) == 0 ? .some(nil) : value()
        }
        return values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { Change(key: $0.key, value: $0.value) }
    }

    /// Canonical, by leaving out each item that may not follow the one before.
    mutating func reads(countMax: Int) -> [ReadItem] {
        let ends = Set((0..<countMax).map { _ in key() }).sorted { $0.lexicographicallyPrecedes($1) }
        var reads: [ReadItem] = []
        for index in ends.indices {
            let to = index + 1 < ends.count ? ends[index + 1] : nil
            let from = index == 0 && Bool.random(using: &self) ? [] : ends[index]
            let item: ReadItem = Bool.random(using: &self) ? .key(ends[index]) : .range(from: from, to: to)
            if reads.last.map({ item.mayFollow($0) }) ?? true { reads.append(item) }
        }
        return reads
    }

    /// Of any number of digits.
    private mutating func number(below end: UInt64) -> UInt64 {
        let shift = Int.random(in: 0..<end.trailingZeroBitCount, using: &self)
        return .random(in: 0..<end >> UInt64(shift), using: &self)
    }

    mutating func record() -> RecordSample {
        var record = RecordSample(op: [.prepare, .prepare, .commit, .abort].randomElement(using: &self)!)
        record.n = number(below: RecordLimits.integerEnd)
        record.timestamp = number(below: RecordLimits.timestampEnd)
        repeat { record.txID = Array(key().prefix(256)) } while !RecordLimits.isTxID(record.txID)
        if Bool.random(using: &self) { record.flushEnd = .sample }
        switch record.op {
        case .prepare:
            record.isVoted = Bool.random(using: &self)
            record.changes = changes(countMax: 6)
            if record.isVoted && Bool.random(using: &self) { record.changes = [] }
            if record.isVoted { record.reads = reads(countMax: .random(in: 0...6, using: &self)) }
        case .commit:
            record.isResolved = Bool.random(using: &self)
            record.seq = number(below: RecordLimits.integerEnd)
        case .abort:
            record.isResolved = Bool.random(using: &self)
            record.reason = text(bytes(pieces: .random(in: 0...5, using: &self))).utf8.map { $0 }
        }
        return record
    }
}
