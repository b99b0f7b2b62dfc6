/// A histogram of durations in nanoseconds, with 32 buckets for each power of two: exact to 3 %.
struct Histogram {
    private static let bucketsPerOctaveLog2 = 5
    private var counts = [Int](repeating: 0, count: 60 << bucketsPerOctaveLog2)
    private(set) var total = 0

    @inline(__always)
    mutating func add(_ nanoseconds: UInt64) {
        counts[Self.bucket(of: nanoseconds)] += 1
        total += 1
    }

    mutating func add(_ other: Histogram) {
        for (bucket, count) in other.counts.enumerated() { counts[bucket] += count }
        total += other.total
    }

    /// The duration that this share of all stays within, in nanoseconds.
    func quantile(_ share: Double) -> Double {
        let wanted = (Double(total) * share).rounded(.up)
        var passed = 0
        for (bucket, count) in counts.enumerated() where count > 0 {
            passed += count
            if Double(passed) >= wanted { return Self.middle(of: bucket) }
        }
        return 0
    }

    @inline(__always)
    private static func bucket(of value: UInt64) -> Int {
        let width = bucketsPerOctaveLog2
        guard value >= 1 << width else { return Int(value) }
        let shift = UInt64.bitWidth - 1 - value.leadingZeroBitCount - width
        return (shift + 1) << width | Int(value >> UInt64(shift)) & (1 << width - 1)
    }

    private static func middle(of bucket: Int) -> Double {
        let width = bucketsPerOctaveLog2
        guard bucket >= 1 << width else { return Double(bucket) }
        let shift = bucket >> width - 1
        return (Double(bucket & (1 << width - 1) | 1 << width) + 0.5) * Double(UInt64(1) << UInt64(shift))
    }
}
