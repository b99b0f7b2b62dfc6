import CommitLog
import StateTree

/// What a transaction has read: keys and ranges, in no order and with repetitions, until they are asked for.
struct ReadSet {
    private var keys: Set<[UInt8]> = []
    private var ranges: [(from: [UInt8], to: [UInt8]?)] = []

    var isEmpty: Bool { keys.isEmpty && ranges.isEmpty }

    mutating func add(_ key: [UInt8]) { keys.insert(key) }

    /// Adds [from, to); an empty `from` and a `to` of `nil` are no bound.
    mutating func add(from: [UInt8], to: [UInt8]?) {
        guard let from = Self.clip(from) else { return }
        let to = to.flatMap(Self.clip)
        if let to, !from.precedes(to) { return }
        ranges.append((from, to))
    }

    /// The canonical list: ranges joined where they meet, keys in none of them, all in order (see `ReadItem`).
    var items: [ReadItem] {
        if isEmpty { return [] }
        let joined = joinedRanges()
        var items: [ReadItem] = []
        var next = 0
        for key in keys.sorted(by: { $0.precedes($1) }) {
            while next < joined.count, !key.precedes(joined[next].from) {
                items.append(.range(from: joined[next].from, to: joined[next].to))
                next += 1
            }
            if next > 0, Self.reaches(joined[next - 1].to, beyond: key) { continue }
            items.append(.key(key))
        }
        return items + joined[next...].map { .range(from: $0.from, to: $0.to) }
    }

    /// The least bound a key may have that parts the possible keys at the same place; `nil` if all lie before it.
    private static func clip(_ bound: [UInt8]) -> [UInt8]? {
        if bound.count <= Limits.keyBytesMax { return bound }
        return ScanRange.end(ofPrefix: Array(bound.prefix(Limits.keyBytesMax)))
    }

    private func joinedRanges() -> [(from: [UInt8], to: [UInt8]?)] {
        var joined: [(from: [UInt8], to: [UInt8]?)] = []
        for range in ranges.sorted(by: { $0.from.precedes($1.from) }) {
            guard let last = joined.last, last.to.map({ !$0.precedes(range.from) }) ?? true else {
                joined.append(range)
                continue
            }
            if let end = last.to, Self.reaches(range.to, beyond: end) { joined[joined.count - 1].to = range.to }
        }
        return joined
    }

    private static func reaches(_ end: [UInt8]?, beyond key: [UInt8]) -> Bool {
        end.map { key.precedes($0) } ?? true
    }
}
