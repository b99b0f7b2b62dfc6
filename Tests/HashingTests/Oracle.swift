import Clibb2
import Hashing

/// What libb2 says: the code that ours has to agree with.
enum Oracle {
    static func hash(_ message: [UInt8]) -> Digest {
        var digest = Digest()
        let status = withUnsafeMutableBytes(of: &digest.words) { words in
            message.withUnsafeBytes { blake2b(words.baseAddress, $0.baseAddress, nil, 32, $0.count, 0) }
        }
        precondition(status == 0)
        return digest
    }

    static func node(bit: UInt32, left: [UInt8], right: [UInt8]) -> Digest {
        hash([1] + bigEndian(bit) + left + right)
    }

    static func leaf(key: [UInt8], valueDigest: [UInt8]) -> Digest {
        hash([0] + bigEndian(UInt32(key.count)) + key + valueDigest)
    }

    private static func bigEndian(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
