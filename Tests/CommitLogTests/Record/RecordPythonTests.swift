import CommitLog
import Foundation
import Hashing
import StrictJSON
import Testing

/// Reading the log needs nothing but a JSON parser: Python's json module and ten lines find in each line what was
/// put there.
@Suite struct RecordPythonTests {
    private static let reader = #"""
        import base64, json, sys
        def pairs(items):
            assert len({k for k, _ in items}) == len(items), "duplicate key"
            return dict(items)
        def number(text): return ("number", text)
        def load(text): return json.loads(text, object_pairs_hook=pairs, parse_int=number, parse_float=number)
        def key(k): return base64.b64decode(k[1:], validate=True) if k.startswith("$") else k.encode()
        def value(v, expected):
            if isinstance(v, str): return v.encode()
            if isinstance(v, tuple): return v[1].encode()
            if isinstance(v, dict) and list(v) == ["$base64"]: return base64.b64decode(v["$base64"], validate=True)
            return expected if v == load(expected.decode()) else b"not what it should be"
        def item(r): return key(r).hex() if isinstance(r, str) else [key(r[0]).hex(), r[1] and key(r[1]).hex()]
        for place, (line, said) in enumerate(zip(open(sys.argv[1], newline="\n"), open(sys.argv[2]))):
            said = json.loads(said)
            found = load(line)
            assert list(found) == said["fields"], (place, list(found))
            for name, expected in said["plain"].items():
                assert found[name] == (number(expected[1:]) if expected[:1] == "#" else expected), (place, name)
            data = list(found.get("data", {}).items())
            assert [key(k).hex() for k, _ in data] == [k for k, _ in said["data"]], (place, "keys")
            for (_, v), (_, expected) in zip(data, said["data"]):
                assert (v is None) == (expected is None), (place, v)
                if v is not None: assert value(v, bytes.fromhex(expected)).hex() == expected, (place, v)
            assert [item(r) for r in found.get("reads", [])] == said["reads"], (place, "reads")
        """#

    @Test func `Python reads from 5,000 lines what was written`() throws {
        var random = TrickyGenerator(seed: 20_261_121)
        var lines: [UInt8] = []
        var contents = ""
        for _ in 0..<5_000 {
            let record = random.record()
            lines += try record.line + bytes("\n")
            contents += Self.content(record) + "\n"
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("records-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = ["lines", "contents"].map { folder.appendingPathComponent($0) }
        try Data(lines).write(to: files[0])
        try Data(contents.utf8).write(to: files[1])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-X", "utf8", "-c", Self.reader] + files.map(\.path)
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus == 127 { return print("SKIPPED: python3 is absent, nothing to agree with") }
        #expect(process.terminationStatus == 0)
    }

    /// What a record says, as JSON made without the code under test: bytes in hexadecimal.
    private static func content(_ record: RecordSample) -> String {
        let tx = "\"n\":\"#\(record.n)\",\"timestamp\":\"#\(seconds(record.timestamp))\""
        let data = record.changes.map { "[\"\(hex($0.key))\",\($0.value.map { "\"\(hex($0))\"" } ?? "null")]" }
        let reads = record.reads.map { item in
            switch item {
            case .key(let key): "\"\(hex(key))\""
            case .range(let from, let to): "[\"\(hex(from))\",\(to.map { "\"\(hex($0))\"" } ?? "null")]"
            }
        }
        let names = fields(record).map { "\"\($0)\"" }.joined(separator: ",")
        let lists = "\"data\":[\(data.joined(separator: ","))],\"reads\":[\(reads.joined(separator: ","))]"
        return "{\"fields\":[\(names)],\"plain\":{\(tx),\(texts(record))},\(lists)}"
    }

    private static func fields(_ record: RecordSample) -> [String] {
        var fields = ["op", "n", "tx_id", "timestamp"]
        switch record.op {
        case .prepare: fields += (record.isVoted ? ["voted"] : []) + ["data"] + (record.reads.isEmpty ? [] : ["reads"])
        case .commit: fields += (record.isResolved ? ["resolved"] : []) + ["seq"]
        case .abort: fields += (record.isResolved ? ["resolved"] : []) + ["reason"]
        }
        return fields + (record.flushEnd == nil ? [] : ["root", "synced", "chain", "crc"])
    }

    private static func texts(_ record: RecordSample) -> String {
        var texts = ["\"op\":\"\("\(record.op)".uppercased())\"", "\"tx_id\":\(escaped(record.txID))"]
        if record.op == .commit { texts.append("\"seq\":\"#\(record.seq)\"") }
        if record.op == .abort { texts.append("\"reason\":\(escaped(record.reason))") }
        if let end = record.flushEnd {
            texts += [
                "\"root\":\"\(end.root.hex)\"", "\"chain\":\"\(end.chain.hex)\"", "\"crc\":\"0102abcd\"",
                "\"synced\":\"#410\"",
            ]
        }
        return texts.joined(separator: ",")
    }

    private static func escaped(_ text: [UInt8]) -> String {
        let units = String(decoding: text, as: UTF8.self).utf16
        return "\"" + units.map { "\\u" + String(String(0x1_0000 + Int($0), radix: 16).dropFirst()) }.joined() + "\""
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(String(0x100 + Int($0), radix: 16).dropFirst()) }.joined()
    }

    private static func seconds(_ microseconds: UInt64) -> String {
        "\(microseconds / 1_000_000).\(String(1_000_000 + microseconds % 1_000_000).dropFirst())"
    }
}
