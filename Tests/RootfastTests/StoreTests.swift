import Foundation
import Hashing
import Rootfast
import SpecSupport
import Testing

@Suite struct StoreTests {
    @Test func `what is written is there after reopening, under the same root`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        #expect(store.recovery.isNew)
        let receipt = try store.write {
            try $0.put("alice", "90")
            try $0.put("bob", "110")
        }
        #expect(receipt.sequence == 1)
        try store.write { try $0.delete("bob") }
        #expect(try store.get("alice") == utf8("90"))
        #expect(try store.get("bob") == nil)
        let root = store.root
        #expect(try root == definedRoot(store.view))
        try store.close()
        expectError(.closed) { try store.write { try $0.put("a", "1") } }

        let again = try Store.open(folder.path)
        #expect(again.root == root)
        #expect(again.view.sequence == 2)
        #expect(try again.get("alice") == utf8("90"))
        try again.close()
        let report = try Store.check(folder.path)
        #expect(report.verdict == .sound)
        #expect(report.root == root)
        #expect(report.isClosed)
    }

    @Test func `a mistyped path makes no store`() throws {
        let folder = TemporaryFolder()
        expectError(.noStore) { _ = try Store.open(folder.path) }
        expectError(.noStore) { _ = try Store.open(folder.path, mode: .readOnly) }
        expectError(.noStore) { _ = try Store.check(folder.path) }
        #expect(!FileManager.default.fileExists(atPath: folder.path))
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        expectError(.noStore) { _ = try Store.open(folder.path) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    /// A kill between the first segment and `store.json` once made `check` tell of damage, and `open` too.
    @Test func `what a crash leaves of a store that was being made is no store, and no damage`() throws {
        let folder = TemporaryFolder()
        try Store.open(folder.path, mode: .createIfMissing).close()
        try FileManager.default.removeItem(atPath: folder.path + "/store.json")
        expectError(.noStore) { _ = try Store.open(folder.path) }
        expectError(.noStore) { _ = try Store.check(folder.path) }
        let store = try Store.open(folder.path, mode: .createIfMissing)
        #expect(store.recovery.isNew)
        try store.write { try $0.put("a", "1") }
        try store.close()
        #expect(try Store.check(folder.path).verdict == .sound)
    }

    /// The log of a restored store begins without a flush, as does one of which only the first segment was made.
    @Test func `a restored store that lost its store.json is damaged, and no new store is made in its place`() throws {
        let (folder, copy) = (TemporaryFolder(), TemporaryFolder())
        let store = try Store.open(folder.path, mode: .createIfMissing)
        try store.write { try $0.put("a", "1") }
        try store.close()
        try Store.restore(from: folder.path, to: copy.path)
        try FileManager.default.removeItem(atPath: copy.path + "/store.json")
        expectError(.corrupt) { _ = try Store.open(copy.path, mode: .createIfMissing) }
        #expect(try Store.check(copy.path).verdict == .damaged)
    }

    @Test func `a second opener is refused at once, in the same process too, and a reader is not`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        try store.write { try $0.put("a", "1") }
        try store.write { try $0.put("b", "2") }
        expectError(.locked) { _ = try Store.open(folder.path) }
        let reader = try Store.open(folder.path, mode: .readOnly)
        #expect(try reader.get("a") == utf8("1"))
        expectError(.readOnly) { try reader.write { try $0.put("b", "1") } }
        try store.close()
        try Store.open(folder.path).close()
    }

    @Test func `files are private and links are not followed`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        try store.write { try $0.put("a", "1") }
        try store.close()
        func mode(_ name: String) throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + name)
            return try #require(attributes[.posixPermissions] as? Int)
        }
        for name in ["", "/log"] { #expect(try mode(name) == 0o700) }
        for name in ["/store.json", "/lock", "/log/0000000001.jsonl"] { #expect(try mode(name) == 0o600) }
        let segment = folder.path + "/log/0000000001.jsonl"
        try FileManager.default.moveItem(atPath: segment, toPath: folder.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: segment, withDestinationPath: folder.path + "/elsewhere")
        #expect(throws: StoreError.self) { try Store.open(folder.path) }
    }

    @Test func `bytes, text and empty values are kept as they are`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        let values: [[UInt8]] = [
            [], [0], [0xff, 0xfe], utf8("null"), utf8("5"), utf8("\"5\""), utf8("{\"a\": 1}"), utf8("{\"a\":1}"),
            utf8("{\"$base64\":\"AA==\"}"), utf8("\u{e9}"), utf8("e\u{301}"), Array(repeating: 7, count: 100_000),
        ]
        let keys: [[UInt8]] = [
            [0], [0xff], utf8("$"), utf8("\u{e9}"), utf8("e\u{301}"), Array(repeating: 9, count: 1024),
        ]
        var expected: [[UInt8]: [UInt8]] = [:]
        try store.write { tx in
            for (i, value) in values.enumerated() {
                for key in keys {
                    let key = key.count < 1000 ? key + [UInt8(i)] : key
                    try tx.put(key, value)
                    expected[key] = value
                }
            }
        }
        let again = try Store.simulated(disk.afterKill())
        #expect(again.view.count == expected.count)
        for (key, value) in expected { #expect(try again.get(key) == value) }
    }

    @Test func `bytes and text of every kind stand for the same keys and values`() throws {
        let store = try Store.simulated(SimulatedDisk(), creating: true)
        let text = "clé 🔑 of more than fifteen bytes"
        let padded = [0] + utf8(text) + [0]
        try store.write { try $0.put(text, Substring("value")) }
        try padded.withUnsafeBytes { memory in
            let raw = UnsafeRawBufferPointer(rebasing: memory.dropFirst().dropLast())
            #expect(try store.get(text) == utf8("value"))
            #expect(try store.get(raw) == utf8("value"))
            #expect(try store.get(padded.dropFirst().dropLast()) == utf8("value"))
            #expect(try store.get(Substring(text)) == utf8("value"))
            #expect(try store.view.withValue(of: raw) { $0.map { Array($0) } } == utf8("value"))
            try store.write { tx in
                try tx.delete(raw)
                #expect(try tx.get(text) == nil)
                try tx.put(raw, raw)
            }
            #expect(try store.view.entries() == [Entry(key: utf8(text), value: utf8(text))])
            let membership = try store.proof(for: raw).verify(key: utf8(text), root: store.root)
            #expect(membership == .present(valueHash: BLAKE2b.hash(raw)))
        }
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        try store.write { try $0.put("empty", nothing) }
        #expect(try store.get("empty") == [])
        #expect(throws: StoreError.self) { try store.write { try $0.put(nothing, "value") } }
    }

    @Test func `sizes beyond the limits are refused and nothing is written`() throws {
        let store = try Store.simulated(SimulatedDisk(), creating: true)
        let root = store.root
        expectError(.invalidArgument) { try store.write { try $0.put("", "1") } }
        expectError(.invalidArgument) { try store.write { try $0.put([UInt8](repeating: 1, count: 1025), "1") } }
        expectError(.invalidArgument) {
            try store.write { try $0.put("a", [UInt8](repeating: 1, count: 16 << 20 | 1)) }
        }
        expectError(.invalidArgument) { try store.write(id: "~1") { try $0.put("a", "1") } }
        expectError(.invalidArgument) { try store.write(id: "a\nb") { try $0.put("a", "1") } }
        expectError(.invalidArgument) { try store.write(id: "") { try $0.put("a", "1") } }
        expectError(.tooLarge) {
            try store.write { tx in
                for i in 0..<5 { try tx.put("k\(i)", [UInt8](repeating: 0x61, count: 15 << 20)) }
            }
        }
        #expect(store.root == root)
        try store.write { try $0.put("a", [UInt8](repeating: 0x61, count: 16 << 20)) }
        #expect(store.view.sequence == 1)
    }

    /// A trigger of 0 was always due: snapshot after snapshot was taken of a store that did nothing.
    @Test func `triggers that would always be due are refused`() throws {
        let folder = TemporaryFolder()
        for change: (inout CompactionTriggers) -> Void in [
            { $0.logByteCount = 0 }, { $0.logByteCount = -1 }, { $0.commitCount = 0 }, { $0.deadShare = 1.5 },
            { $0.interval = .zero },
        ] {
            var options = Options()
            change(&options.compaction)
            expectError(.invalidArgument) {
                _ = try Store.open(folder.path, mode: .createIfMissing, options: options)
            }
        }
    }

    @Test func `a transaction that throws, or changes nothing, leaves no record`() throws {
        struct Stop: Error {}
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        try store.write { try $0.put("a", "1") }
        let before = disk.files
        #expect(throws: Stop.self) {
            try store.write { (tx: Transaction) throws -> Void in
                try tx.put("a", "2")
                throw Stop()
            }
        }
        let (value, receipt) = try store.write { try $0.get("a") }
        #expect(value == utf8("1"))
        #expect(receipt.sequence == 1)
        #expect(disk.files == before)
    }

    @Test func `a transaction sees its own changes, in scans too`() throws {
        let store = try Store.simulated(SimulatedDisk(), creating: true)
        try store.write { tx in for key in ["a", "c", "e"] { try tx.put(key, "old") } }
        try store.write { tx in
            try tx.put("b", "new")
            try tx.delete("c")
            try tx.put("e", "new")
            try tx.put("f", "new")
            #expect(try tx.get("b") == utf8("new"))
            #expect(try tx.get("c") == nil)
            #expect(try tx.entries().map(\.key) == ["a", "b", "e", "f"].map(utf8))
            #expect(try tx.entries(ScanRange().reversed()).map(\.key) == ["f", "e", "b", "a"].map(utf8))
            #expect(try tx.entries(ScanRange().limited(to: 2)).map(\.key) == ["a", "b"].map(utf8))
            for limit in [0, -1] {
                var range = ScanRange()
                range.limit = limit
                #expect(try tx.entries(range).isEmpty)
            }
            #expect(try tx.entries(ScanRange(from: "b", to: "f")).map(\.value) == ["new", "new"].map(utf8))
        }
        #expect(try store.view.entries().map(\.key) == ["a", "b", "e", "f"].map(utf8))
        #expect(try store.view.entries(ScanRange(prefix: "e")).count == 1)
        #expect(try store.view.entries(ScanRange().reversed().limited(to: 1)).map(\.key) == [utf8("f")])
    }

    @Test func `a receipt's root verifies by proof`() throws {
        let store = try Store.simulated(SimulatedDisk(), creating: true)
        for i in 0..<200 { try store.write { try $0.put("key \(i)", "\(i)") } }
        let receipt = try store.write { try $0.put("key 7", "seven") }
        #expect(receipt.rootSequence == receipt.sequence)
        let membership = try store.proof(for: "key 7").verify(key: utf8("key 7"), root: receipt.root)
        #expect(membership == .present(valueHash: BLAKE2b.hash(utf8("seven"))))
        #expect(try store.proof(for: "key x").verify(key: utf8("key x"), root: receipt.root) == .absent)
    }

    @Test func `segments rotate and the log goes on over them`() throws {
        let disk = SimulatedDisk()
        var store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
        for i in 0..<100 { try store.write(id: "t\(i)") { try $0.put("key \(i)", "value \(i)") } }
        let root = store.root
        #expect(disk.files.keys.filter { $0.hasSuffix(".jsonl") }.count > 10)
        for image in [disk.afterKill(), disk] {
            if image === disk { try store.close() }
            store = try Store.simulated(image, segmentBytesMax: 4096)
            #expect(store.root == root)
            #expect(store.view.sequence == 100)
            #expect(try store.outcome(of: "t42") == .committed(sequence: 43))
            #expect(try Store.checking(image).verdict == .sound)
        }
    }

    @Test func `an id is used once, and its outcome can be asked for`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        #expect(try store.outcome(of: "t") == .unknown)
        try store.write(id: "t") { try $0.put("a", "1") }
        expectError(.duplicateID(.committed(sequence: 1))) { try store.write(id: "t") { try $0.put("a", "2") } }
        #expect(try store.outcome(of: "t") == .committed(sequence: 1))
        // Bytes, not Unicode: these two are equal as Swift strings.
        try store.write(id: "\u{e9}") { try $0.put("a", "2") }
        try store.write(id: "e\u{301}") { try $0.put("a", "3") }
        let again = try Store.simulated(disk.afterKill())
        #expect(try again.outcome(of: "t") == .committed(sequence: 1))
        #expect(try again.outcome(of: "e\u{301}") == .committed(sequence: 3))
    }

    @Test func `a clock that steps back orders nothing`() throws {
        let disk = SimulatedDisk()
        var environment = Environment.deterministic()
        environment.now = { 2_000_000_000_000_000 }
        let store = try Store.open(disk, creating: true, options: Options(), environment: environment)
        try store.write { try $0.put("a", "1") }
        environment.now = { 1 }
        let again = try Store.open(disk.afterKill(), creating: false, options: Options(), environment: environment)
        try again.write { try $0.put("a", "2") }
        #expect(again.view.sequence == 2)
    }

    /// A store that was closed while the process was starting another one was found locked: until it runs its program, the
    /// new process has copies of all descriptors, and with the lock's the lock.
    @Test func `a copy of the lock's descriptor does not keep a closed store locked`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        let all = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        let name = URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path + "/lock"
        let descriptor = try #require(
            all.first { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == name })
        let copy = dup(descriptor)
        defer { close(copy) }
        try store.close()
        try Store.open(folder.path).close()
    }

    @Test func `the log is told up to a segment that is missing, which is named`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        for i in 0..<3 {
            try store.write { try $0.put("k", "\(i)") }
            try store.maintenance.seal()
        }
        try store.close()
        try FileManager.default.removeItem(atPath: folder.path + "/log/0000000002.jsonl")
        var lineCount = 0
        let error = #expect(throws: StoreError.self) {
            try Store.log(folder.path) { _ in
                lineCount += 1
                return true
            }
        }
        #expect(lineCount == 3)
        #expect(error?.code == .corrupt && error?.place?.file == "log/0000000002.jsonl")
    }
}
