import Foundation
import Rootfast
import SpecSupport
import Testing

/// Logs that nobody wrote: each ends in a verdict.
@Suite struct HostileLogTests {
    /// A store with one commit, and the file of its only segment, cut behind the commit.
    static func sample() throws -> (folder: TemporaryFolder, log: String) {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        try store.write { try $0.put("a", "1") }
        try store.close()
        // As after a kill: `store.json` does not say where the log ends.
        let name = folder.path + "/store.json"
        let text = try String(contentsOfFile: name, encoding: .utf8)
        let open = text.replacing(/,"n":.*/, with: "}")
        try open.write(toFile: name, atomically: true, encoding: .utf8)
        return (folder, folder.path + "/log/0000000001.jsonl")
    }

    static func append(_ bytes: [UInt8], times: Int = 1, to path: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        for _ in 0..<times { try file.write(contentsOf: bytes) }
        try file.close()
    }

    @Test(arguments: [
        "{\"op\":\"PREPARE\",\"n\":3,", "\u{feff}{}\n", "null\n", "{\"op\":\"COMMIT\"}\n", "\n\n\n", "\0\0\0x",
        "{\"op\":\"PREPARE\",\"n\":1e999,\"tx_id\":\"a\"}\n", String(repeating: "[", count: 10_000) + "\n",
        String(repeating: "e\u{301}", count: 133_000) + "\n", String(repeating: "{\"op\":\"", count: 50_000) + "\n",
        ",\"chain\":\"" + String(repeating: "0", count: 64) + "\",\"crc\":\"00000000\"}\n",
    ])
    func `whatever stands behind the last flush is a torn tail`(tail: String) throws {
        let (folder, log) = try Self.sample()
        try Self.append(utf8(tail), to: log)
        let report = try Store.check(folder.path)
        #expect(report.verdict == .wantsAttention)
        #expect(report.sequence == 1)
        let store = try Store.open(folder.path)
        #expect(try store.get("a") == utf8("1"))
        #expect(store.recovery.tornTail?.byteCount == tail.utf8.count)
        try store.write { try $0.put("b", "2") }
        try store.close()
        #expect(try Store.check(folder.path).verdict == .sound)
    }

    @Test func `megabytes of zeros behind the log are passed over, and what is behind them is a torn tail`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let start = disk.files[DamageTests.first]!.lastIndex { $0 != 0 }! + 1
        let zeros = [UInt8](repeating: 0, count: 5 << 20)
        let image = disk.changing(DamageTests.first) { $0 = Array($0[..<start]) + zeros }
        #expect(try Store.checking(image).verdict == .sound)
        let torn = disk.changing(DamageTests.first) { $0 = Array($0[..<start]) + zeros + utf8("{\"op\":") }
        let report = try Store.checking(torn)
        #expect(report.verdict == .wantsAttention && report.sequence == 1)
        #expect(report.tornTail?.byteCount == zeros.count + 6)
    }
}
