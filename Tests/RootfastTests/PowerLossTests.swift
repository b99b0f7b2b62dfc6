import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// A small forerunner of the specs: after any power loss the store is at a flush that contains all that was
/// acknowledged.
@Suite struct PowerLossTests {
    @Test func `after any power loss every acknowledged commit is there, and none in part`() throws {
        var torn = 0
        var images = 0
        for seed in UInt64(0)..<150 {
            var random = SeededGenerator(seed: seed)
            let disk = SimulatedDisk()
            // Small segments, so that the last flush begins one and the power goes in mid-rotation; and large ones.
            let segmentBytesMax = seed % 2 == 0 ? 4096 : 64 << 10
            let store = try Store.simulated(disk, creating: true, segmentBytesMax: segmentBytesMax)
            var roots = [store.root]
            for i in 0..<Int.random(in: 0...30, using: &random) {
                let value = String(repeating: "v", count: .random(in: 0...400, using: &random))
                try store.write { tx in for j in 0..<3 { try tx.put("key \(i % 7) \(j)", "\(i) \(value)") } }
                roots.append(store.root)
            }
            // The power goes before the last flush is synced.
            let acknowledged = roots.count - 1
            disk.noteMoment { call, name in call == "fdatasync" && name.hasSuffix(".jsonl") }
            _ = try store.write { tx in for j in 0..<3 { try tx.put("last \(j)", String(repeating: "w", count: 900)) }
            }
            let moment = try #require(disk.atMoment())
            for _ in 0..<10 {
                images += 1
                let image = moment.afterPowerLoss(&random)
                let again = try Store.simulated(image, creating: true, segmentBytesMax: segmentBytesMax)
                let sequence = Int(again.view.sequence)
                #expect(sequence == acknowledged || sequence == acknowledged + 1, "seed \(seed)")
                if sequence == acknowledged { #expect(again.root == roots[sequence], "seed \(seed)") }
                #expect(try [0, 3].contains(again.view.entries(ScanRange(prefix: "last")).count))
                if again.recovery.tornTail != nil { torn += 1 }
                let twice = try Store.simulated(image.afterPowerLoss(&random), segmentBytesMax: segmentBytesMax)
                #expect(twice.root == again.root)
                #expect(twice.recovery.tornTail == nil)
            }
        }
        #expect(images == 1500)
        #expect(torn > 100)
    }

    /// A process that was killed between the renaming of `store.json` and the sync of its folder left the new name in the
    /// cache alone. The next one wrote to the segment that it names, and a power loss gave back the old name.
    @Test func `what a killed process renamed is made durable before anything stands on it`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true, segmentBytesMax: 4096)
        var hasRenamed = false
        disk.noteMoment { call, name in
            if call == "renameat", name == "store.json.new" { hasRenamed = true }
            return hasRenamed && call == "fsync" && name.isEmpty
        }
        for i in 0..<60 { try store.write { try $0.put("key \(i)", String(repeating: "v", count: 100)) } }
        let killed = try #require(disk.atMoment()).afterKill()
        let again = try Store.simulated(killed, segmentBytesMax: 4096)
        try again.write { try $0.put("acknowledged", "1") }
        for seed in UInt64(1)...50 {
            var rng = SeededGenerator(seed: seed)
            let left = try Store.simulated(killed.afterPowerLoss(&rng), segmentBytesMax: 4096)
            #expect(try left.get("acknowledged") == utf8("1"), "seed \(seed)")
        }
    }
}
