/// The id of a transaction to which its caller gave none: `~` and the `n` of its PREPARE. No outcome is kept for it.
enum AnonymousID {
    static func make(n: UInt64) -> [UInt8] {
        var id: [UInt8] = []
        write(n: n, into: &id)
        return id
    }

    /// The same into an array that is at hand: as long as the number of digits stays, nothing is allocated.
    static func write(n: UInt64, into id: inout [UInt8]) {
        var (end, rest) = (2, n / 10)
        while rest > 0 { (end, rest) = (end + 1, rest / 10) }
        if id.count != end { id = [UInt8](repeating: UInt8(ascii: "~"), count: end) }
        rest = n
        for position in stride(from: end - 1, to: 0, by: -1) {
            id[position] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }

    static func isReserved(_ id: some Sequence<UInt8>) -> Bool { id.first { _ in true } == UInt8(ascii: "~") }
}
