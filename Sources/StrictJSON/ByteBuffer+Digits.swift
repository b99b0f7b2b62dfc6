/// Numbers as digits: decimal without leading zeros, or with a fixed number of digits, and lower-case hexadecimal.
extension ByteBuffer {
    package mutating func appendDecimal(_ number: UInt64) {
        appendDecimal(number, digits: Self.decimalDigits(of: number))
    }

    package mutating func appendDecimal(_ number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(number.magnitude)
    }

    /// The last `digits` digits of the number, one at least, with leading zeros where it has fewer.
    package mutating func appendDecimal(_ number: UInt64, digits: Int) {
        precondition(digits > 0, "a number has a digit")
        reserve(digits)
        var rest = number
        var position = digits
        while position >= 2 {
            position &-= 2
            let pair = Int(truncatingIfNeeded: rest % 100)
            rest /= 100
            end.storeBytes(
                of: UnsafeRawPointer(Self.pairs.utf8Start).loadUnaligned(fromByteOffset: pair &* 2, as: UInt16.self),
                toByteOffset: position, as: UInt16.self)
        }
        if position == 1 {
            end.storeBytes(of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10), as: UInt8.self)
        }
        used &+= digits
    }

    /// Each byte as two lower-case digits; the bytes are a multiple of four.
    package mutating func appendHex(_ bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count.isMultiple(of: 4), "appendHex takes four bytes at a time")
        reserve(bytes.count &* 2)
        for offset in stride(from: 0, to: bytes.count, by: 4) {
            let four = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            end.storeBytes(of: Word.hexDigits(of: four).littleEndian, as: UInt64.self)
            used &+= 8
        }
    }

    /// Eight lower-case digits, the highest first.
    package mutating func appendHex(_ number: UInt32) {
        Swift.withUnsafeBytes(of: number.bigEndian) { appendHex($0) }
    }

    private static let pairs: StaticString = """
        0001020304050607080910111213141516171819\
        2021222324252627282930313233343536373839\
        4041424344454647484950515253545556575859\
        6061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899
        """

    private static func decimalDigits(of number: UInt64) -> Int {
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound {
            digits &+= 1
            if digits == 20 { break }
            bound &*= 10
        }
        return digits
    }
}
