package import Rootfast

/// A caller that runs one transaction over lists after the other: each reads lists, by keys and by ranges, and appends.
package final class ListWorker {
    private struct GivenUp: Error {}
    private enum Step {
        case read(Int)
        case scan(Range<Int>, isReversed: Bool)
        case append(Int)
    }

    private let keys: [String]
    private let recorder: ListRecorder
    private var choices: Choices
    private let gait: Gait
    private var steps: [Step] = []
    private var givesUp = false
    private var attempt: ListHistory.Transaction?

    /// - Parameter keys: of the lists, in order.
    package init(seed: UInt64, keys: [String], _ recorder: ListRecorder) {
        self.keys = keys
        self.recorder = recorder
        choices = Choices(seed: seed)
        gait = Gait(seed: seed)
    }

    /// Runs a transaction of chance.
    package func transact(on store: Store) throws {
        choose()
        try conclude { try store.write { tx in try run(tx) } }
    }

    package func transact(on store: Store) async throws {
        choose()
        do {
            try await store.write { tx in try run(tx) }
            end(isCommitted: true)
        } catch {
            try refuse(error)
        }
    }

    /// Reads all lists.
    package func readAll(on store: Store) throws {
        steps = [.scan(keys.indices, isReversed: false)]
        givesUp = false
        try conclude { try store.write { tx in try run(tx) } }
    }

    private func choose() {
        steps = choices.array(1...5) { choices in
            let key = choices.below(keys.count)
            switch choices.below(5) {
            case 0, 1: return .read(key)
            case 2: return .scan(key..<(key + 1 + choices.below(keys.count - key)), isReversed: choices.bool())
            default: return .append(key)
            }
        }
        givesUp = choices.oneIn(16)
    }

    private func conclude(_ body: () throws -> Void) throws {
        do {
            try body()
            end(isCommitted: true)
        } catch {
            try refuse(error)
        }
    }

    private func refuse(_ error: any Error) throws {
        guard error is GivenUp || (error as? StoreError)?.isLoss == true else { throw error }
        recorder.count(error is GivenUp ? "given up" : "lost")
        end(isCommitted: false)
    }

    private func end(isCommitted: Bool) {
        recorder.end(attempt!, isCommitted: isCommitted)
        attempt = nil
    }

    // MARK: - An attempt

    private func run(_ tx: Transaction) throws {
        if attempt != nil {
            recorder.count("run again")
            end(isCommitted: false)
        }
        attempt = recorder.begin()
        for step in steps {
            try take(step, tx)
            gait.giveWay()
        }
        if givesUp { throw GivenUp() }
    }

    private func take(_ step: Step, _ tx: Transaction) throws {
        switch step {
        case .read(let key): attempt!.operations.append(.read(key: keys[key], list: try list(key, tx)))
        case .append(let key):
            let number = recorder.nextNumber()
            let numbers = try list(key, tx) + [number]
            try tx.put(keys[key], numbers.map(String.init).joined(separator: " "))
            attempt!.operations.append(.append(key: keys[key], number: number))
        case .scan(let covered, let isReversed):
            var range = ScanRange(from: keys[covered.lowerBound], to: keys[covered.upperBound - 1] + "\0")
            range.isReversed = isReversed
            let entries = try tx.entries(range)
            for key in covered {
                let found = entries.first { $0.key == Array(keys[key].utf8) }
                attempt!.operations.append(.read(key: keys[key], list: Self.numbers(found?.value ?? [])))
            }
        }
    }

    private func list(_ key: Int, _ tx: Transaction) throws -> [Int] { Self.numbers(try tx.get(keys[key]) ?? []) }

    private static func numbers(_ value: [UInt8]) -> [Int] {
        String(decoding: value, as: UTF8.self).split(separator: " ").map { Int($0)! }
    }
}
