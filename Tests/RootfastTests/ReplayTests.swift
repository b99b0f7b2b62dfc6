import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// A replay applies what a log says in another order than the log's: see `DeferredChanges`.
@Suite struct ReplayTests {
    /// Keys of one length and of many, with much and with nothing in common, and each changed again and again.
    @Test(arguments: [0, 3, 20], [1, 4, 12, 25])
    func `the last change of each key is what is left, whatever keys have in common`(
        sharedCount: Int, keyBytesMax: Int
    ) throws {
        // An empty tree is built of what is replayed, another one is changed.
        for goesOnFromSnapshot in [false, true] {
            try expectSame(sharedCount: sharedCount, keyBytesMax: keyBytesMax, goesOnFromSnapshot)
        }
    }

    private func expectSame(sharedCount: Int, keyBytesMax: Int, _ goesOnFromSnapshot: Bool) throws {
        var rng = SeededGenerator(seed: UInt64(sharedCount * 100 + keyBytesMax))
        let shared = rng.bytes(sharedCount)
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        var model: [[UInt8]: [UInt8]] = [:]
        for round in 0..<100 {
            if goesOnFromSnapshot, round == 10 { try store.maintenance.takeSnapshot() }
            try store.write { tx in
                for _ in 0..<30 {
                    let key = shared + rng.bytes(.random(in: 1...keyBytesMax, using: &rng)).map { $0 % 5 * 63 }
                    let value = Int.random(in: 0..<7, using: &rng) == 0 ? nil : rng.bytes(3)
                    model[key] = value
                    if let value { try tx.put(key, value) } else { try tx.delete(key) }
                }
            }
        }
        let replayed = try Store.simulated(SimulatedDisk(files: disk.files))
        #expect((replayed.recovery.snapshotID != nil) == goesOnFromSnapshot)
        let expected = model.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map {
            Entry(key: $0.key, value: $0.value)
        }
        #expect(try replayed.view.entries() == expected)
        #expect(replayed.root == store.root)
    }
}
