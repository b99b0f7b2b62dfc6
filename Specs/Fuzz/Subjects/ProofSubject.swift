import Hashing
import Rootfast
import SpecSupport
import StateTree

extension FuzzSubject {
    /// A proof of a key as JSON: what is read is written so that it is read as the same, and verifies only if it is the
    /// one honest proof of the key that is asked for.
    ///
    /// `state, asked key` (1 byte each), then the document.
    static let proof = FuzzSubject(
        name: "proof", seeds: ProofLaw.seeds, words: { ProofLaw.words }, check: ProofLaw.check)
}

private enum ProofLaw {
    @Sendable static func check(_ input: [UInt8]) throws -> String {
        guard input.count > 2 else { return "no document" }
        let sample = ProofSample.all[Int(input[0]) % ProofSample.all.count]
        let key = sample.asked[Int(input[1]) % sample.asked.count]
        guard let document = try? ProofDocument(json: Array(input[2...])) else { return "no document" }
        let again = try ProofDocument(json: document.json)
        try expect(again.proof == document.proof && again.key == document.key, "written, it says something else")
        try expect(again.json == document.json && again.value == document.value, "written again, it differs")
        guard let membership = try? document.proof.verify(key: key, root: sample.root) else { return "refused" }
        try expect(document.proof == sample.view.proof(of: key), "another proof than the honest one verifies")
        try expect((membership == .absent) == !sample.keys.contains(key), "it shows what is not so")
        return membership == .absent ? "absent" : "present"
    }

    @Sendable static func seeds() throws -> [[UInt8]] {
        ProofSample.all.enumerated().flatMap { number, sample in
            sample.asked.indices.filter { $0 % 4 == 0 }.map { index in
                let key = sample.asked[index]
                let proof = sample.view.proof(of: key)
                let document =
                    index % 8 == 0
                    ? ProofDocument(proof)
                    : ProofDocument(proof, key: key, root: sample.root, sequence: 7, value: [0x41, 0xFF])
                return [UInt8(number), UInt8(index)] + document.json
            }
        }
    }

    static var words: [[UInt8]] {
        let hashes = ProofSample.all.flatMap(\.digests).map { Array("\"\($0.hex)\"".utf8).dropFirst().dropLast() }
        let members = [
            "\"leaf\":null", "\"path\":[]", "{\"bit\":", ",\"sibling\":\"", "\"value_hash\":\"", "\"count\":",
        ]
        return hashes.map { Array($0) } + members.map { Array($0.utf8) }
    }
}
