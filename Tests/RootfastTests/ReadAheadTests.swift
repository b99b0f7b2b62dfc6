import CommitLog
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// Reading ahead on another thread finds exactly what reading in turn finds.
@Suite struct ReadAheadTests {
    /// A store of three segments of 2 MiB, and small and large flushes.
    static let disk: SimulatedDisk = {
        let disk = SimulatedDisk()
        let store = try! Store.simulated(disk, creating: true, segmentBytesMax: 2 << 20, durability: .none)
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
    private func open(_ disk: SimulatedDisk, ahead: Bool) throws -> [String] {
        do {
            let store = try Store.simulated(SimulatedDisk(files: disk.files), usesThreads: ahead)
            let torn = store.recovery.tornTail.map { "\($0)" } ?? "whole"
            return ["\(store.view.sequence)", "\(store.root)", "\(try store.inDoubt())", torn]
        } catch let error as StoreError {
            return ["\(error)"]
        }
    }

    @Test func `a sound log`() throws {
        let files = Self.disk.files.keys.filter { $0.hasSuffix(".jsonl") }
        #expect(files.count >= 3)
        let ahead = try open(Self.disk, ahead: true)
        #expect(ahead == (try open(Self.disk, ahead: false)))
        #expect(ahead[0] == "4000")
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
