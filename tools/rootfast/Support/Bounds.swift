import Rootfast

/// The bounds of a scan as they are given: all of them hold, and an empty one is none.
struct Bounds {
    var prefix: [UInt8]?
    var from: [UInt8]?
    var to: [UInt8]?
    var limit: Int?
    var isReversed = false

    var range: ScanRange {
        var range = prefix.map { ScanRange(prefix: $0) } ?? ScanRange()
        if let from, range.from.map({ $0.lexicographicallyPrecedes(from) }) ?? true { range.from = from }
        if let to, !to.isEmpty, range.to.map({ to.lexicographicallyPrecedes($0) }) ?? true { range.to = to }
        range.isReversed = isReversed
        range.limit = limit
        return range
    }
}
