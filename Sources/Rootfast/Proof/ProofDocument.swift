import CommitLog
package import Hashing
package import StateTree
import StrictJSON

/// A proof as a JSON document, with what its maker says beside it.
///
/// ```
/// {"schema":1,"kind":"proof","key":KEY,"count":N,"leaf":{"key":KEY,"value_hash":HEX},
///  "path":[{"bit":B,"sibling":HEX},…],"root":HEX,"sequence":S,"value":VALUE}
/// ```
/// Keys and values are spelled as in the log (see `RecordText`), HEX is 64 lower-case digits, numbers are plain digits.
/// `leaf` is `null` for the state of no keys. `key`, `root`, `sequence` and `value` may be missing: they are the
/// maker's word, and a verifier takes none of it on trust. The members may stand in any order and any valid spelling of
/// JSON; another member, or one twice, is refused.
package struct ProofDocument {
    /// The key that was asked for.
    package var key: [UInt8]?
    package var proof: Proof
    package var root: Digest?
    package var sequence: UInt64?
    /// The value, if the key is present.
    package var value: [UInt8]?

    package init(
        _ proof: Proof, key: [UInt8]? = nil, root: Digest? = nil, sequence: UInt64? = nil, value: [UInt8]? = nil
    ) {
        self.proof = proof
        self.key = key
        self.root = root
        self.sequence = sequence
        self.value = value
    }

    /// The longest document that is read: the longest proof and the longest value, every byte of it escaped.
    package static let byteCountMax = 100 << 20
    static let schema: UInt64 = 1
    static let kind = "proof"
}

// MARK: - Writing

extension ProofDocument {
    /// The document in one line.
    package var json: [UInt8] {
        var buffer = ByteBuffer(capacity: 512 + 100 * proof.path.count)
        buffer.append("{\"schema\":1,\"kind\":\"proof\"")
        if let key {
            buffer.append(",\"key\":")
            Self.append(key: key, to: &buffer)
        }
        buffer.append(",\"count\":")
        buffer.appendDecimal(Int64(proof.count))
        Self.append(leaf: proof.leaf, to: &buffer)
        Self.append(path: proof.path, to: &buffer)
        appendRemarks(to: &buffer)
        buffer.append("}")
        return Array(buffer.bytes)
    }

    private static func append(leaf: Proof.Leaf?, to buffer: inout ByteBuffer) {
        guard let leaf else { return buffer.append(",\"leaf\":null") }
        buffer.append(",\"leaf\":{\"key\":")
        append(key: leaf.key, to: &buffer)
        buffer.append(",\"value_hash\":")
        append(digest: leaf.valueHash, to: &buffer)
        buffer.append("}")
    }

    private static func append(path: [Proof.Step], to buffer: inout ByteBuffer) {
        buffer.append(",\"path\":[")
        for (index, step) in path.enumerated() {
            buffer.append(index == 0 ? "{\"bit\":" : ",{\"bit\":")
            buffer.appendDecimal(Int64(step.bit))
            buffer.append(",\"sibling\":")
            append(digest: step.sibling, to: &buffer)
            buffer.append("}")
        }
        buffer.append("]")
    }

    private func appendRemarks(to buffer: inout ByteBuffer) {
        if let root {
            buffer.append(",\"root\":")
            Self.append(digest: root, to: &buffer)
        }
        if let sequence {
            buffer.append(",\"sequence\":")
            buffer.appendDecimal(sequence)
        }
        if let value {
            buffer.append(",\"value\":")
            var scanner = RecordText.valueScanner()
            value.withUnsafeBytes { RecordText.appendValue($0, to: &buffer, &scanner) }
        }
    }

    private static func append(key: [UInt8], to buffer: inout ByteBuffer) {
        key.withUnsafeBytes { RecordText.appendKey($0, to: &buffer) }
    }

    private static func append(digest: Digest, to buffer: inout ByteBuffer) {
        buffer.append("\"")
        digest.withUnsafeBytes { buffer.appendHex($0) }
        buffer.append("\"")
    }
}
