/// An endless row of commits that overwrite random keys out of the first `keyCount`: the same for every engine.
struct Traffic: Sendable {
    let keyCount: Int
    let seed: UInt64

    init(over keyCount: Int, _ work: Work, round: Int, thread: Int = 0) {
        self.keyCount = keyCount
        seed = mixed(UInt64(Work.allCases.firstIndex(of: work)!) << 48 | UInt64(round) << 32 | UInt64(thread))
    }

    /// Fills a batch with the commit of this number.
    func fill(_ batch: Batch, commit number: Int) {
        var bits = seed ^ mixed(UInt64(number))
        for position in 0..<batch.count {
            bits = mixed(bits)
            batch.set(position, key: index(bits), valueFrom: ~bits)
        }
    }

    /// Maps random bits to the index of a key.
    @inline(__always)
    func index(_ bits: UInt64) -> UInt64 { bits.multipliedFullWidth(by: UInt64(keyCount)).high }
}
