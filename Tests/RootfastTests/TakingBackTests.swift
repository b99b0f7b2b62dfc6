import Foundation
import Rootfast
import SeededRandom
import SpecSupport
import Testing

/// Flushes that fail while nobody has read for long, so that no view of the state before is kept.
@Suite struct TakingBackTests {
    private typealias Model = [String: [UInt8]]

    private static func expect(_ store: Store, holds model: Model) throws {
        let view = store.view
        #expect(view.count == model.count)
        for (key, value) in model { #expect(try view.get(key) == value) }
        #expect(try view.root == definedRoot(view))
    }

    /// A transaction of a few keys: values short and long, new and old; one in ten deletes.
    private static func write(_ store: Store, _ model: inout Model, _ rng: inout SeededGenerator) throws {
        var next = model
        let isDeleting = Int.random(in: 0..<10, using: &rng) == 0
        let id = Bool.random(using: &rng) ? nil : "t\(UInt64.random(in: 0...(.max), using: &rng))"
        try store.write(id: id) { transaction in
            for _ in 0..<Int.random(in: 1...6, using: &rng) {
                let key = "key \(Int.random(in: 0..<60, using: &rng))"
                if isDeleting, Bool.random(using: &rng) {
                    try transaction.delete(key)
                    next[key] = nil
                } else {
                    let isLong = Int.random(in: 0..<15, using: &rng) == 0
                    let value = rng.bytes(isLong ? 2000 : .random(in: 0...200, using: &rng))
                    try transaction.put(key, value)
                    next[key] = value
                }
            }
        }
        model = next
    }

    @Test(arguments: ["pwrite", "fdatasync"], 1...40)
    func `what a failed flush overwrote is put back`(call: String, seed: UInt64) throws {
        var rng = SeededGenerator(seed: seed)
        let disk = SimulatedDisk()
        let isAsync = seed.isMultiple(of: 2)
        let store = try Store.simulated(
            disk, creating: true, durability: isAsync ? .async(interval: .seconds(60)) : .sync)
        var model = Model()
        for round in 0..<Int.random(in: 5...40, using: &rng) {
            try Self.write(store, &model, &rng)
            if isAsync, round % 3 == 0 { try store.flush() }
            if Int.random(in: 0..<30, using: &rng) == 0 { try Self.expect(store, holds: model) }
        }
        try store.flush()
        disk.setFault { name, file in name == call && file.hasPrefix("log/") ? FailureTests.ioError : nil }
        var lost = model
        for _ in 0..<Int.random(in: 1...8, using: &rng) { try? Self.write(store, &lost, &rng) }
        if isAsync { #expect(throws: StoreError.self) { try store.flush() } }
        #expect(try store.status().poison != nil)
        try Self.expect(store, holds: model)
    }

    /// Many write at once, so that there is a flush open when the one before fails; one reads now and then, so that views
    /// are kept for a while.
    @Test(arguments: [0, 2], 1...30)
    func `what two flushes overwrote is put back`(viewsKept: Int, seed: UInt64) async throws {
        let disk = SimulatedDisk()
        var environment = Environment.system(viewsKept: viewsKept)
        environment.kernel = .scalar
        let store = try Store.open(disk, creating: true, options: Options(), environment: environment)
        let calls = Counter()
        disk.setFault { name, file in
            guard name == "fdatasync", file.hasPrefix("log/") else { return nil }
            // Time enough for others to write to the flush behind it.
            usleep(300)
            // Not this call alone: it may be one that makes room ahead, whose failure no flush is told.
            return calls.add() >= Int(seed) ? FailureTests.ioError : nil
        }
        let models = Models()
        try await Crowd.run(threads: 8, tasks: 0) { number in
            var rng = SeededGenerator(seed: seed * 100 + UInt64(number))
            var model = Model()
            for round in 0..<10_000 {
                if number == 0, round % 4 == 0 { _ = store.view }
                let key = "\(number) \(Int.random(in: 0..<200, using: &rng))"
                let value = rng.bytes(.random(in: 0...150, using: &rng))
                do {
                    try store.write { try $0.put(key, value) }
                } catch let error as StoreError {
                    #expect(error.code == .outcomeUnknown || error.code == .poisoned)
                    return models.add(model)
                }
                model[key] = value
                #expect(round < 9_999)
            }
        } inTask: { _ in
        }
        try Self.expect(store, holds: models.all)
    }

    private final class Models: @unchecked Sendable {
        private let lock = NSLock()
        private var models = Model()
        var all: Model { lock.withLock { models } }
        func add(_ model: Model) { lock.withLock { models.merge(model) { $1 } } }
    }
}
