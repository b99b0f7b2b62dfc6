import Foundation
import Hashing
import StateTree
import Testing

/// The vectors were written by an independent reference (Python, hashlib).
@Suite struct VectorTests {
    struct File: Decodable { let cases: [Case] }
    struct Case: Decodable, CustomStringConvertible, Sendable {
        let name: String
        let count: Int
        let root: String
        let pairs: [PairRow]
        let proofs: [ProofRow]
        var description: String { name }
    }
    struct PairRow: Decodable { let key, value: String }
    struct ProofRow: Decodable {
        struct Leaf: Decodable { let key, value_hash: String }
        struct Step: Decodable {
            let bit: Int
            let sibling: String
        }
        let key: String
        let present: Bool
        let leaf: Leaf?
        let path: [Step]
    }

    static let cases: [Case] = {
        let url = Bundle.module.url(forResource: "Fixtures/merkle", withExtension: "json")!
        return try! JSONDecoder().decode(File.self, from: Data(contentsOf: url)).cases
    }()

    @Test func `the fixture holds all nine cases`() {
        #expect(Self.cases.count == 9)
    }

    @Test(arguments: cases) func `root and proofs match the reference`(vector: Case) throws {
        let tree = Tree(kernel: .scalar)
        for pair in vector.pairs.shuffled() { tree.put(Hex.decode(pair.key.utf8)!, Hex.decode(pair.value.utf8)!) }
        let view = tree.freeze(hashing: true)
        try view.checkInvariants()
        #expect(view.count == vector.count)
        #expect(view.root?.hex == vector.root)
        for row in vector.proofs {
            let key = Hex.decode(row.key.utf8)!
            let proof = view.proof(for: key)
            #expect(proof == expected(row, count: vector.count))
            let membership = try proof.verify(key: key, root: view.root!)
            let valueHash = row.leaf.map { Digest(hex: $0.value_hash)! }
            #expect(membership == (row.present ? .present(valueHash: valueHash!) : .absent))
        }
    }

    private func expected(_ row: ProofRow, count: Int) -> Proof {
        Proof(
            count: count,
            leaf: row.leaf.map { .init(key: Hex.decode($0.key.utf8)!, valueHash: Digest(hex: $0.value_hash)!) },
            path: row.path.map { .init(bit: $0.bit, sibling: Digest(hex: $0.sibling)!) })
    }
}
