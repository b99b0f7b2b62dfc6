import CommitLog
import Foundation
import Hashing
import Rootfast
import SeededRandom
import SpecSupport
import StrictJSON
import Testing

/// Torn tail and damage are two things: a torn tail is a flush of which nobody was told; damage is anything else. What
/// happens to files as a whole, and to the state file, is for the law of damage.
@Suite struct DamageTests {
    static let first = "log/0000000001.jsonl"

    /// A small store that was killed, with several segments, a vote and an abort, and the length of its live log.
    static func sample() throws -> (disk: SimulatedDisk, newest: String, length: Int) {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
        for i in 0..<6 {
            try store.write(id: "t\(i)") {
                try $0.put("key \(i)", "value \(i)")
                try $0.put("n", "\(i)")
            }
        }
        _ = try store.prepare("vote") { try $0.put("voted", "1") }
        _ = try store.prepare("lost") { try $0.put("never", "1") }
        try store.abort("lost", reason: "told to")
        let newest = LogNames.segment(try store.status().segment)
        let length = disk.files[newest]!.lastIndex { $0 != 0 }! + 1
        return (disk.afterKill(), newest, length)
    }

    /// Opens a damaged copy: it must refuse, or be at a state that the log recorded, and never be empty.
    static func expectHonest(_ disk: SimulatedDisk, _ report: CheckReport, sequenceMin: UInt64) throws {
        switch report.verdict {
        case .damaged:
            #expect(report.damage?.place?.file.isEmpty == false)
            expectError(.corrupt) { _ = try Store.simulated(disk, creating: true) }
        case .sound, .wantsAttention:
            let store = try Store.simulated(disk, creating: true)
            #expect(!store.recovery.isNew)
            #expect(store.view.sequence >= sequenceMin)
            #expect(try store.root == definedRoot(store.view))
        }
    }

    @Test func `every flipped bit of the log is found and named, or is in a flush that may be torn`() throws {
        let (disk, newest, length) = try Self.sample()
        let sound = try Store.checking(disk)
        var damaged = 0
        var torn = 0
        for (name, bytes) in disk.files where name.hasSuffix(".jsonl") {
            let end = name == newest ? length : bytes.count
            for offset in 0..<end {
                let image = disk.changing(name) { $0[offset] ^= 1 << UInt8(offset % 8) }
                let report = try Store.checking(image)
                #expect(report.verdict != .sound, "\(name) byte \(offset)")
                if report.verdict == .damaged {
                    damaged += 1
                } else {
                    // Only the last flush can be taken for torn: all before it is there.
                    torn += 1
                    #expect(name == newest)
                    #expect(report.tornTail != nil)
                    #expect(report.sequence == sound.sequence)
                }
                if offset % 7 == 0 { try Self.expectHonest(image, report, sequenceMin: sound.sequence) }
            }
        }
        #expect(damaged > 3000)
        #expect(torn > 100)
    }

    @Test func `after a clean close no truncation and no flipped bit passes for a torn tail`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        for i in 0..<3 { try store.write { try $0.put("key \(i)", "value") } }
        try store.close()
        let bytes = disk.files[Self.first]!
        for offset in bytes.indices {
            let flipped = disk.changing(Self.first) { $0[offset] ^= 4 }
            #expect(try Store.checking(flipped).verdict == .damaged, "byte \(offset)")
            let cut = disk.changing(Self.first) { $0.removeLast($0.count - offset) }
            #expect(try Store.checking(cut).verdict == .damaged, "cut to \(offset)")
        }
        for offset in disk.files["store.json"]!.indices {
            let flipped = disk.changing("store.json") { $0[offset] ^= 1 }
            #expect(try Store.checking(flipped).verdict == .damaged, "store.json byte \(offset)")
        }
    }

    @Test func `the only segment removed, or the whole log, or store.json, is damage and never a new store`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        for name in [Self.first, "store.json"] {
            expectError(.corrupt) { _ = try Store.simulated(disk.removing(name), creating: true) }
            #expect(try Store.checking(disk.removing(name)).verdict == .damaged)
        }
    }

    /// The state file was named, which is as it should be.
    @Test func `a missing segment that the snapshot goes on from is named`() throws {
        let (disk, _) = try Self.compacted()
        let names = disk.files.keys.filter { $0.hasSuffix(".jsonl") }
        #expect(names == [LogNames.segment(2)])
        let report = try Store.checking(disk.removing(names[0]))
        #expect(report.verdict == .damaged && report.damage?.place?.file == names[0])
        expectError(.corrupt) { _ = try Store.simulated(disk.removing(names[0]), creating: true) }
    }

    /// Check took the segment that it did not know for one that was to be the next, while open refused the store.
    @Test func `check and open agree on a store.json that is older than a snapshot`() throws {
        let (disk, manifest) = try Self.compacted(keepingSegments: true)
        let image = disk.changing("store.json") { $0 = manifest }
        let report = try Store.checking(image)
        #expect(report.verdict == .damaged && report.damage?.place?.file == "store.json")
        expectError(.corrupt) { _ = try Store.simulated(image) }
    }

    /// Check read the state file as one that stands alone, while open would have had to roll the journal back.
    @Test(arguments: [false, true])
    func `check and open agree on a journal beside the state file, which never has one`(keepingSegments: Bool) throws {
        let (disk, _) = try Self.compacted(keepingSegments: keepingSegments)
        var files = disk.files
        files["state.sqlite-journal"] = files["state.sqlite"]
        let image = SimulatedDisk(files: files)
        let report = try Store.checking(image)
        #expect(report.verdict == .damaged && report.damage?.place?.file == "state.sqlite")
        guard keepingSegments else { return expectError(.corrupt) { _ = try Store.simulated(image) } }
        // The log alone leads to the same state.
        let store = try Store.simulated(image)
        #expect(try store.get("a") == utf8("1") && !store.recovery.badSnapshots.isEmpty)
        try store.maintenance.takeSnapshot()
        try store.close()
        #expect(try Store.checking(image).verdict == .sound)
    }

    /// A closed store with a snapshot at the beginning of its second segment, and what `store.json` said in its first.
    private static func compacted(keepingSegments: Bool = false) throws -> (SimulatedDisk, manifest: [UInt8]) {
        var options = Options()
        (options.maintainsItself, options.retention.grace) = (false, .zero)
        if !keepingSegments { options.retention.segments = .init(count: 0) }
        let disk = SimulatedDisk()
        let store = try Store.open(disk, creating: true, options: options, environment: .deterministic())
        try store.write { try $0.put("a", "1") }
        let manifest = disk.files["store.json"]!
        _ = try store.maintenance.compact()
        try store.close()
        return (disk, manifest)
    }

    @Test func `a torn last flush is dropped, reported and kept aside`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let root = store.root
        let length = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("b", "2") }
        let torn = disk.changing(Self.first) { bytes in
            for i in (length + 150)..<bytes.count { bytes[i] = 0 }
        }
        let again = try Store.simulated(torn)
        #expect(again.root == root)
        let tail = try #require(again.recovery.tornTail)
        #expect(tail.place == .init(file: Self.first, offset: length, sequence: 1))
        let copy = torn.files[try #require(tail.copy)]!
        #expect(copy == Array(disk.files[Self.first]![length..<(length + 150)]))
        #expect(torn.files[Self.first]![length...].allSatisfy { $0 == 0 })
        try again.write { try $0.put("c", "3") }
        #expect(try Store.checking(torn.afterKill()).verdict == .sound)
    }

    @Test func `a flush of megabytes that is torn is dropped whole, and named where a later one saw it durable`() throws
    {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let start = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("b", String(repeating: "x", count: 5 << 20)) }
        let end = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        let torn = disk.changing(Self.first) { bytes in for i in (end - 50)..<end { bytes[i] = 0 } }
        let again = try Store.simulated(torn)
        #expect(again.view.sequence == 1)
        #expect(again.recovery.tornTail?.place == .init(file: Self.first, offset: start, sequence: 1))
        #expect(again.recovery.tornTail?.byteCount == end - 50 - start)
        #expect(torn.files[Self.first]![start...].allSatisfy { $0 == 0 })

        try store.write { try $0.put("c", "3") }
        for damaged in [start + 10, start + (4 << 20)] {
            let image = disk.changing(Self.first) { $0[damaged] = 0 }
            #expect(try Store.checking(image).damage?.place == .init(file: Self.first, offset: start, sequence: 1))
        }
    }

    @Test func `a gap before a flush that saw it durable is damage, and is not truncated away`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let first = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("b", "2") }
        let second = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("c", "3") }
        for range in [first..<second, (first + 20)..<(first + 30), first..<(first + 1)] {
            let image = disk.changing(Self.first) { bytes in for i in range { bytes[i] = 0 } }
            let report = try Store.checking(image)
            #expect(report.verdict == .damaged)
            #expect(report.damage?.place == .init(file: Self.first, offset: first, sequence: 1))
            expectError(.corrupt) { _ = try Store.simulated(image) }
            #expect(image.files[Self.first] == image.afterKill().files[Self.first])
        }
    }

    @Test func `stale bytes behind a shorter new flush are not taken for flushes`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let length = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        let base = disk.afterKill()
        // Two histories from the same point; the shorter new flush lies over the longer old ones.
        try store.write { try $0.put("b", String(repeating: "x", count: 300)) }
        try store.write { try $0.put("c", "old") }
        let other = try Store.simulated(base)
        try other.write { try $0.put("b", "new") }
        let new = base.files[Self.first]!
        let newEnd = new.lastIndex { $0 != 0 }! + 1
        let image = disk.changing(Self.first) { bytes in
            bytes.replaceSubrange(length..<newEnd, with: new[length..<newEnd])
        }
        let report = try Store.checking(image)
        // The old second flush says that n = 4 was durable, and it is: as the new one. What is behind is torn.
        #expect(report.sequence == 2)
        #expect(report.verdict == .wantsAttention)
        let again = try Store.simulated(image)
        #expect(try again.get("b") == utf8("new"))
        #expect(try again.get("c") == nil)
        #expect(again.recovery.tornTail != nil)
        #expect(image.files[Self.first]![newEnd...].allSatisfy { $0 == 0 })
    }

    @Test func `a stale flush that fits in everything but the chain is not taken for the next one`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let base = disk.afterKill()
        try store.write { try $0.put("b", "old") }
        let second = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("c", "old") }
        let third = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        let other = try Store.simulated(base)
        try other.write { try $0.put("b", "new") }
        try #require(base.files[Self.first]!.lastIndex { $0 != 0 }! + 1 == second)
        // Of the same length, so that the stale flush begins right behind the new one, with the n and seq that are due.
        let image = base.changing(Self.first) { bytes in
            bytes.replaceSubrange(second..<third, with: disk.files[Self.first]![second..<third])
        }
        let report = try Store.checking(image)
        #expect(report.verdict == .wantsAttention)
        #expect(report.sequence == 2)
        let again = try Store.simulated(image)
        #expect(try again.get("b") == utf8("new"))
        #expect(try again.get("c") == nil)
    }

    @Test func `history that was rewritten with a right crc breaks the chain`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let start = disk.files[Self.first]!.firstIndex(of: 0x0a)! + 1
        let end = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("a", "3") }
        let image = disk.changing(Self.first) { bytes in
            let flush = String(decoding: bytes[start..<end], as: UTF8.self).replacing("\"a\":1", with: "\"a\":2")
            let covered = utf8(String(flush[..<flush.range(of: ",\"crc\"")!.lowerBound]))
            var buffer = ByteBuffer()
            buffer.append(covered)
            RecordEncoder.appendCRC(CRC32C.checksum(buffer.bytes), to: &buffer)
            bytes.replaceSubrange(start..<end, with: Array(buffer.bytes))
        }
        let report = try Store.checking(image)
        #expect(report.verdict == .damaged)
        #expect(report.damage?.place?.offset == start)
        #expect(report.damage?.message.contains("chain") == true)
    }

    @Test func `a torn tail beside an empty next segment is a torn tail`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let status = try store.status()
        let length = disk.files[Self.first]!.lastIndex { $0 != 0 }! + 1
        let header = try SegmentHeader.read(from: disk.open(Self.first, .read)!).header
        var next = ByteBuffer()
        SegmentHeader(
            store: header.store, segment: 2, timestamp: header.timestamp + 1_000_000, n: status.recordNumber,
            seq: status.sequence, root: status.root, chain: try Self.chain(disk)
        ).append(to: &next)
        var files = disk.files
        files[LogNames.segment(2)] = Array(next.bytes) + [UInt8](repeating: 0, count: 1000)
        files[Self.first] = Array(files[Self.first]![..<length]) + utf8("{\"op\":\"PREPARE\",\"n\":3,")
        let image = SimulatedDisk(files: files)
        #expect(try Store.checking(image).verdict == .wantsAttention)
        let again = try Store.simulated(image)
        #expect(again.recovery.tornTail != nil)
        #expect(image.files[LogNames.segment(2)] == nil)
        try again.write { try $0.put("b", "2") }
        #expect(try Store.checking(image.afterKill()).verdict == .sound)
    }

    private static func chain(_ disk: SimulatedDisk) throws -> Digest {
        let file = try disk.open(first, .read)!
        let (header, offset) = try SegmentHeader.read(from: file)
        let reader = SegmentReader(file, from: LogTip(header, offset: offset))
        while case .flush = try reader.next() {}
        return reader.tip.chain
    }

    @Test func `an older store.json beside a longer log is named, not believed`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
        let old = disk.files["store.json"]!
        while try store.status().segment < 2 { try store.write { try $0.put("a", "1") } }
        try store.write { try $0.put("a", "2") }
        let image = disk.changing("store.json") { $0 = old }
        #expect(try Store.checking(image).verdict == .damaged)
        expectError(.corrupt) { _ = try Store.simulated(image) }
    }

    @Test func `a tail that was only in the page cache is durable before anything is served`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let killed = SimulatedDisk()
        // The process is killed between the write and the sync of its last flush.
        let dying = try Store.simulated(killed, creating: true)
        try dying.write { try $0.put("a", "1") }
        killed.setFault { call, _ in call == "fdatasync" ? 5 : nil }
        expectError(.outcomeUnknown) { try dying.write { try $0.put("b", "2") } }
        killed.setFault(nil)
        let again = try Store.simulated(killed)
        #expect(try again.get("b") == utf8("2"))
        for seed in UInt64(0)..<50 {
            var random = SeededGenerator(seed: seed)
            let after = try Store.simulated(killed.afterPowerLoss(&random))
            #expect(try after.get("b") == utf8("2"))
            #expect(after.root == again.root)
        }
    }

    @Test func `a root that does not match its state is named`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let image = Self.forging(disk) { text in
            text.replacing("\"a\":1", with: "\"a\":2")
        }
        let report = try Store.checking(image)
        #expect(report.verdict == .damaged)
        #expect(report.damage?.message.contains("root") == true)
        expectError(.corrupt) { _ = try Store.simulated(image) }
    }

    @Test func `a record that is whole but not canonical is damage`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        for edit in [
            ("\"a\":1", "\"a\": 1"), ("\"a\":1", "\"\\u0061\":1"), ("\"a\":1", "\"a\":\"1\""), ("\"n\":1,", "\"n\":2,"),
            ("\"seq\":1", "\"seq\":2"), ("\"seq\":1", "\"seq\":1e0"), ("\"synced\":0", "\"synced\":9"),
            ("\"a\":1", "\"a\":1,\"a\":1"), ("\"op\":\"COMMIT\"", "\"op\":\"ABORT\""), ("~1", "~7"),
        ] {
            let image = Self.forging(disk) { $0.replacing(edit.0, with: edit.1) }
            let report = try Store.checking(image)
            #expect(report.verdict == .damaged, "\(edit)")
            #expect(report.damage?.place?.file == Self.first)
        }
    }

    /// Rewrites the only flush of a store and gives it a right chain and crc: what only intent or a bug can do.
    static func forging(_ disk: SimulatedDisk, _ edit: (String) -> String) -> SimulatedDisk {
        disk.changing(first) { bytes in
            let end = bytes.lastIndex { $0 != 0 }! + 1
            let headerEnd = bytes.firstIndex(of: 0x0a)! + 1
            let text = String(decoding: bytes[headerEnd..<end], as: UTF8.self)
            let edited = edit(text)
            let covered = utf8(String(edited[..<edited.range(of: ",\"chain\"")!.lowerBound]))
            let header = try! RecordParser().parseSegmentHeader(Array(bytes[..<(headerEnd - 1)]))
            var buffer = ByteBuffer()
            buffer.append(covered)
            RecordEncoder.appendChain(covered.withUnsafeBytes { LogTip.chain(header.chain, $0) }, to: &buffer)
            RecordEncoder.appendCRC(CRC32C.checksum(buffer.bytes), to: &buffer)
            bytes = Array(bytes[..<headerEnd]) + Array(buffer.bytes)
        }
    }
}

extension RecordParser {
    fileprivate func parseSegmentHeader(_ line: [UInt8]) throws -> SegmentHeader {
        try line.withUnsafeBytes { try parseSegmentHeader($0).header }
    }
}
