package import CommitLog
package import Hashing

/// Generators of records, biased to what is easily got wrong in JSON. All are canonical as values: the encoder takes
/// them.
extension Choices {
    private static let pieces: [[UInt8]] =
        [
            "a", "b", "abcdefgh", "\"", "\\", "{", "}", "[", "]", ":", ",", "$", "$base64", "null", "true", "false",
            "0",
            "-", "1", "1.5", "1e999", "01", "é", "e\u{301}", "\u{301}", "😀", "\0", "\u{1}", "\n", "\u{1f}", " ",
            "\u{7f}",
            "\u{80}", "\u{9f}", "\u{2028}", "\u{feff}", "\\ud83d", "\\ude00", "\\u0041", "\\u0024base64", "\\n",
            "\\u001f",
            "{}", "[]", "{\"a\":1}", "{\"$base64\":\"/w==\"}", "{\"\\u0024base64\":1}", "{\"$base64\":1,\"b\":2}",
            "[1,\"x\"]", "\"text\"", ",\"crc\":\"00000000\"}", "}\n", "/w==", "=",
        ].map { Array($0.utf8) } + [
            [0xFF], [0xC3], [0xA9], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        ]

    /// Pieces of JSON, of what nearly is, and of what is not UTF-8, in a row.
    package mutating func pieces(_ counts: ClosedRange<Int>) -> [UInt8] {
        array(counts) { $0.pick(Self.pieces) }.flatMap { $0 }
    }

    /// A key of a record; now and then the longest there is.
    package mutating func recordKey() -> [UInt8] {
        let key = pieces(1...4)
        return oneIn(200) ? Self.filled(key, to: RecordLimits.keyBytesMax) : key
    }

    package mutating func recordValue() -> [UInt8] {
        switch below(9) {
        case 0, 1: pieces(0...6)
        case 2, 3: Array(json(depth: 0).utf8)
        case 4, 5: damaged(Array(json(depth: 0).utf8))
        case 6, 7: bytes(0...12)
        default: filler(0...3_000)
        }
    }

    /// JSON that stands as it is, or nearly: some nests too deep, some has a key twice.
    private mutating func json(depth: Int) -> String {
        let countMax = depth < 4 ? 3 : 0
        switch below(5) {
        case 0: return pick(["0", "-0", "1.5e3", "1e999", "true", "false", "null"])
        case 1: return "\"\(insideOfString())\""
        case 2:
            let members = array(0...countMax) { "\"\($0.insideOfString())\":\($0.json(depth: depth + 1))" }
            return "{" + members.joined(separator: ",") + "}"
        case 3 where depth == 0 && oneIn(4):
            let nesting = int(in: 30...34)
            return String(repeating: "[", count: nesting) + String(repeating: "]", count: nesting)
        default: return "[" + array(0...countMax) { $0.json(depth: depth + 1) }.joined(separator: ",") + "]"
        }
    }

    private mutating func insideOfString() -> String {
        pick([
            "", "a", "b", "é", "\\u00e9", "\\n", "\\ud83d\\ude00", "$base64", "\\u0024base64", "\\\"", "\\/", "\u{7f}",
        ])
    }

    /// With one byte changed, left out or put in. Requires a byte.
    package mutating func damaged(_ text: [UInt8]) -> [UInt8] {
        var text = text
        let position = below(text.count)
        switch below(3) {
        case 0: text[position] = UInt8(below(256))
        case 1: text.remove(at: position)
        default: text.insert(pick(Array("\" \\,:0{}[]".utf8)), at: position)
        }
        return text
    }

    package mutating func changes(_ counts: ClosedRange<Int>) -> [Change] {
        var values: [[UInt8]: [UInt8]?] = [:]
        _ = array(counts) { choices in
            let key = choices.recordKey()
            values[key] = choices.oneIn(8) ? .some(nil) : choices.recordValue()
        }
        return values.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { Change(key: $0.key, value: $0.value) }
    }

    /// Canonical, by leaving out each item that may not follow the one before.
    package mutating func reads(_ counts: ClosedRange<Int>) -> [ReadItem] {
        let ends = Set(array(counts) { $0.recordKey() }).sorted { $0.lexicographicallyPrecedes($1) }
        var reads: [ReadItem] = []
        for index in ends.indices {
            let to = index + 1 < ends.count ? ends[index + 1] : nil
            let from = index == 0 && bool() ? [] : ends[index]
            let item: ReadItem = bool() ? .range(from: from, to: to) : .key(ends[index])
            if reads.last.map({ item.mayFollow($0) }) ?? true { reads.append(item) }
        }
        return reads
    }

    package mutating func digest() -> Digest {
        if oneIn(8) { return .zero }
        return BLAKE2b.hash(bytes(1...2))
    }

    package mutating func record() -> RecordSample {
        var record = RecordSample(op: pick(weighted: [(2, .prepare), (1, .commit), (1, .abort)]))
        record.n = magnitude(upTo: RecordLimits.integerEnd - 1)
        record.timestamp = magnitude(upTo: RecordLimits.timestampEnd - 1)
        record.txID = txID()
        switch record.op {
        case .prepare:
            record.isVoted = bool()
            record.changes = changes(record.isVoted ? 0...6 : 1...6)
            if record.isVoted { record.reads = reads(0...6) }
        case .commit:
            record.isResolved = bool()
            record.seq = magnitude(upTo: RecordLimits.integerEnd - 1)
        case .abort:
            record.isResolved = bool()
            record.reason = Array(String(decoding: pieces(0...5), as: UTF8.self).utf8)
            if oneIn(50) { record.reason = Self.filled(record.reason, to: RecordLimits.reasonBytesMax) }
        }
        if bool() {
            record.flushEnd = FlushEnd(
                root: digest(), synced: magnitude(upTo: RecordLimits.integerEnd - 1), chain: digest(),
                crc: UInt32(magnitude(upTo: UInt64(UInt32.max))))
        }
        return record
    }

    private mutating func txID() -> [UInt8] {
        let id = pieces(1...4)
        guard RecordLimits.isTxID(id) else { return [UInt8(ascii: "t")] }
        return oneIn(50) ? Self.filled(id, to: RecordLimits.txIDBytesMax) : id
    }

    private static func filled(_ bytes: [UInt8], to count: Int) -> [UInt8] {
        bytes + Array(repeating: UInt8(ascii: "x"), count: max(0, count - bytes.count))
    }
}
