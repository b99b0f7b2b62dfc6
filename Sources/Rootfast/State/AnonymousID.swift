/// The id of a transaction to which its caller gave none: `~` and the `n` of its PREPARE. No outcome is kept for it.
enum AnonymousID {
    static func make(n: UInt64) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 21) { bytes, count in
            var rest = n
            var start = 21
            repeat {
                start -= 1
                bytes[start] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            bytes[0] = UInt8(ascii: "~")
            for i in start..<21 { bytes[1 + i - start] = bytes[i] }
            count = 22 - start
        }
    }

    static func isReserved(_ id: some Sequence<UInt8>) -> Bool { id.first { _ in true } == UInt8(ascii: "~") }
}
