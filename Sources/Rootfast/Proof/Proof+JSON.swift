public import StateTree

/// Proofs as JSON, to hand to somebody who trusts a root and has nothing else of ours: `rootfast verify-proof` and
/// `tools/verify_proof.py` read it, given the key.
///
/// ```
/// {"schema":1,"kind":"proof","count":2,"leaf":{"key":"alice","value_hash":"…"},"path":[{"bit":7,"sibling":"…"}]}
/// ```
extension Proof {
    /// The proof in one line of JSON.
    public var json: String { String(decoding: ProofDocument(self).json, as: UTF8.self) }

    /// Reads a proof, also from what `rootfast prove` prints, whose `key`, `root`, `sequence` and `value` are passed
    /// over: `verify` is asked for a key under a root that the reader trusts.
    ///
    /// Strict, linear in time, and bounded in size before any of it is read. What it gives is not verified yet.
    public init(json: String) throws(ProofFormatError) {
        self = try ProofDocument(json: Array(json.utf8)).proof
    }
}

/// Why a text is no proof.
public struct ProofFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    public var reason: String

    init(_ reason: String) { self.reason = reason }

    public var description: String { "This is not a proof: \(reason)" }
}
