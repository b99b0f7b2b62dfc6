import CommitLog
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// Reading ahead on another thread finds exactly what reading in turn finds.
@Suite struct ReadAheadTests {
    /// A store of three segments of 2 MiB, and small and large flushes; all of it is log, which opening has to read.
    static let disk: SimulatedDisk = {
        let disk = SimulatedDisk()
        var options = Options()
        options.segmentBytesMax = 2 << 20
        options.durability = .none
        options.snapshotsOnClose = false
        let store = try! Store.open(disk, creating: true, options: options, environment: .deterministic())
        var random = SeededGenerator(seed: 7)
        for i in 0..<4000 {
            try! store.write(id: i % 5 == 0 ? "id \(i)" : nil) { tx in
                for _ in 0..<4 { try tx.put(random.bytes(8), random.bytes(Int.random(in: 0...300, using: &random))) }
            }
            if i % 3 == 0, i < 300 || i > 3700 { try! store.flush() }
        }
        _ = try! store.prepare("vote") { try $0.put("v", "1") }
        try! store.close()
        return SimulatedDisk(files: disk.files)
    }()

    /// What opening finds, or why it does not open.
    private func open(
        _ disk: SimulatedDisk, ahead: Bool, fault: ((_ call: String, _ name: String) -> Int32?)? = nil
    ) throws -> [String] {
        do {
            let disk = SimulatedDisk(files: disk.files)
            disk.setFault(fault)
            let store = try Store.simulated(disk, usesThreads: ahead)
            let torn = store.recovery.tornTail.map { "\($0)" } ?? "whole"
            return [
                "\(store.view.sequence)", "\(store.root)", "\(try store.inDoubt())", torn,
                "\(store.recovery.byteCount)",
            ]
        } catch let error as StoreError {
            return ["\(error)"]
        }
    }

    @Test func `a sound log`() throws {
        let files = Self.disk.files.keys.filter { $0.hasSuffix(".jsonl") }
        #expect(files.count >= 3)
        let ahead = try open(Self.disk, ahead: true)
        #expect(ahead == (try open(Self.disk, ahead: false)))
        #expect(ahead[0] == "4000" && Int(ahead[4])! > 4 << 20)
    }

    @Test(arguments: [0, 1, 2])
    func `a log of which the disk does not give a part`(failing: Int) throws {
        func fails(_ name: String, _ left: Counter) -> Int32? {
            guard name == "log/0000000002.jsonl" else { return nil }
            return left.add() == failing ? 5 : nil
        }
        let found = try [true, false].map { ahead in
            let reads = Counter()
            return try open(Self.disk, ahead: ahead) { call, name in call == "pread" ? fails(name, reads) : nil }
        }
        #expect(found[0] == found[1])
        #expect(found[0][0].hasPrefix("pread failed"))
    }

    @Test(arguments: UInt64(0)..<24)
    func `a log with a byte changed, or cut`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let name = Self.disk.files.keys.filter { $0.hasSuffix(".jsonl") }.sorted().randomElement(using: &random)!
        let disk = Self.disk.changing(name) { bytes in
            let place = bytes.indices.randomElement(using: &random)!
            if Int.random(in: 0..<4, using: &random) == 0 { bytes = Array(bytes[..<place]) } else { bytes[place] ^= 4 }
        }
        #expect(try open(disk, ahead: true) == (try open(disk, ahead: false)))
    }
}
