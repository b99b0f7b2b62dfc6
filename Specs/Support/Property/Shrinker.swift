/// Finds a simpler case that fails in the same way: by leaving out runs of choices and by lowering choices, until
/// neither helps or enough was tried. The same failure always shrinks to the same case.
///
/// Of two cases the simpler is that with fewer choices, or with as many and the lower one where they first differ.
struct Shrinker {
    private(set) var best: CaseRun
    private(set) var runCount = 0
    private let runCountMax: Int
    private let run: ([UInt64]) -> CaseRun

    init(_ failed: CaseRun, runCountMax: Int, run: @escaping ([UInt64]) -> CaseRun) {
        best = failed
        self.runCountMax = runCountMax
        self.run = run
    }

    mutating func shrink() {
        var before: [UInt64]
        repeat {
            before = best.values
            leaveOutSpans()
            leaveOutRuns()
            lower()
        } while best.values != before && runCount < runCountMax
    }

    /// Leaves out neighbouring spans, first many at once, then fewer, from the last to the first.
    private mutating func leaveOutSpans() {
        var size = best.spans.count
        while size > 0 {
            var start = best.spans.count - size
            while start >= 0 {
                let spans = best.spans[start..<start + size]
                let end = spans.reduce(0) { max($0, $1.upperBound) }
                _ = tryWithout(spans.first!.lowerBound..<end)
                start = min(start, best.spans.count - size + 1) - 1
            }
            size /= 2
        }
    }

    /// Leaves out up to eight choices next to each other, from the last to the first.
    private mutating func leaveOutRuns() {
        for size in [8, 4, 3, 2, 1] {
            var start = best.made.count - size
            while start >= 0 {
                _ = tryWithout(start..<start + size)
                start = min(start, best.made.count - size + 1) - 1
            }
        }
    }

    /// Lowers each choice as far as it goes: to 0 at once, else by halving the distance.
    private mutating func lower() {
        var index = 0
        while index < best.made.count {
            var (passes, fails): (UInt64, UInt64) = (0, best.made[index].value)
            if fails > 0, tryWith(0, at: index) { fails = 0 }
            while fails > passes + 1 {
                let middle = passes + (fails - passes) / 2
                if tryWith(middle, at: index) { fails = middle } else { passes = middle }
            }
            index += 1
        }
    }

    private mutating func tryWithout(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        var values = best.values
        values.removeSubrange(range)
        return isAccepted(values)
    }

    private mutating func tryWith(_ value: UInt64, at index: Int) -> Bool {
        guard index < best.made.count else { return false }
        var values = best.values
        values[index] = value
        return isAccepted(values)
    }

    private mutating func isAccepted(_ values: [UInt64]) -> Bool {
        guard runCount < runCountMax else { return false }
        runCount += 1
        let found = run(values)
        guard found.failsLike(best), Self.isSimpler(found.values, than: best.values) else { return false }
        best = found
        return true
    }

    private static func isSimpler(_ a: [UInt64], than b: [UInt64]) -> Bool {
        a.count == b.count ? a.lexicographicallyPrecedes(b) : a.count < b.count
    }
}
