import Hashing

/// The single bits of a value's parts, each as an edit that flips it.
struct Flips<Value> {
    private(set) var edits: [(inout Value) -> Void] = []

    mutating func add(_ path: WritableKeyPath<Value, Int>) {
        for bit in 0..<Int.bitWidth { edits.append { $0[keyPath: path] ^= 1 << bit } }
    }

    mutating func add(_ path: WritableKeyPath<Value, [UInt8]>, count: Int) {
        for bit in 0..<8 * count { edits.append { $0[keyPath: path][bit / 8] ^= 1 << UInt8(bit % 8) } }
    }

    mutating func add(_ path: WritableKeyPath<Value, Digest>) {
        for bit in 0..<256 {
            edits.append { value in
                withUnsafeMutableBytes(of: &value[keyPath: path].words) { $0[bit / 8] ^= 1 << UInt8(bit % 8) }
            }
        }
    }

    /// The value with each bit flipped in turn; of more bits than `countMax` evenly spread ones:
    /// an odd number apart, so that none of a byte's bits is passed over in all bytes.
    func forEach(of value: Value, countMax: Int, _ body: (Value) throws -> Void) rethrows {
        for index in stride(from: 0, to: edits.count, by: edits.count / countMax | 1) {
            var other = value
            edits[index](&other)
            try body(other)
        }
    }
}
