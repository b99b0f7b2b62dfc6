import CommitLog
import SeededRandom
import Testing

@Suite struct ChangeBytesTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `changes are those of a dictionary, in the order of keys once sorted`(seed: UInt64) {
        var rng = SeededGenerator(seed: seed)
        var changes = ChangeBytes()
        var keys: [[UInt8]] = []
        var model: [[UInt8]: [UInt8]?] = [:]
        for _ in 0..<Int.random(in: 0...60, using: &rng) {
            let key = rng.bytes(.random(in: 1...3, using: &rng))
            let value = Bool.random(using: &rng) ? rng.bytes(.random(in: 0...40, using: &rng)) : nil
            if let index = keys.firstIndex(of: key) {
                (value ?? []).withUnsafeBytes { changes.replaceValue(index, value == nil ? nil : $0) }
            } else {
                changes.append(key, value)
                keys.append(key)
            }
            model[key] = .some(value)
        }
        #expect(changes.copies == keys.map { Change(key: $0, value: model[$0]!) })
        changes.sort()
        keys.sort { $0.lexicographicallyPrecedes($1) }
        #expect(changes.copies == keys.map { Change(key: $0, value: model[$0]!) })
        #expect(changes.count == keys.count && changes.isEmpty == keys.isEmpty)
    }
}
