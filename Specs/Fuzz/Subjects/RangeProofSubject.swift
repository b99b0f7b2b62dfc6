import Hashing
import SpecSupport
import StateTree

extension FuzzSubject {
    /// A proof of a range: it verifies only if it is the one honest proof of the range that is asked for.
    ///
    /// A range proof has no spelling of its own, so an input is a recipe for one (see `RangeProofRecipe`).
    static let rangeProof = FuzzSubject(
        name: "range-proof", seeds: RangeProofLaw.seeds, words: { [] }, check: RangeProofLaw.check)
}

private enum RangeProofLaw {
    @Sendable static func check(_ input: [UInt8]) throws -> String {
        var recipe = RangeProofRecipe(input)
        let (from, to, proof) = recipe.read()
        let sample = recipe.sample
        do throws(ProofError) {
            try proof.verify(from: from, to: to, root: sample.root)
        } catch {
            guard case .root = error else { return "refused" }
            return "refused by the root"
        }
        if let from, let to, to.lexicographicallyPrecedes(from) {
            try expect(proof.rows.isEmpty, "rows where nothing can be")
            return "from behind to"
        }
        try expect(proof == sample.view.rangeProof(from: from, to: to), "another proof than the honest one verifies")
        return proof.rows.isEmpty ? "no rows" : "rows"
    }

    /// Honest proofs, and of each what hides all behind its first row: no neighbour there, and all else among the siblings.
    @Sendable static func seeds() throws -> [[UInt8]] {
        var seeds: [[UInt8]] = []
        for (number, sample) in ProofSample.all.enumerated() {
            let bounds: [[UInt8]?] = [nil] + stride(from: 0, to: sample.asked.count, by: 9).map { sample.asked[$0] }
            for from in bounds {
                for to in bounds where from == nil || to == nil || from!.lexicographicallyPrecedes(to!) {
                    let proof = try sample.view.rangeProof(from: from, to: to)
                    seeds.append(RangeProofRecipe.recipe(proof, sample: number, from: from, to: to))
                    guard let row = proof.rows.first else { continue }
                    var cut = proof
                    (cut.rows, cut.after) = ([row], nil)
                    cut.right = sample.view.proof(of: row.key).path.filter { !ProofSample.isSet($0.bit, of: row.key) }
                    seeds.append(RangeProofRecipe.recipe(cut, sample: number, from: from, to: to))
                }
            }
        }
        return seeds
    }
}

/// How an input becomes a proof of a range: mostly from parts that an honest one could have.
///
/// ```
/// recipe = sample, key (from), key (to), count (2), list of (key, value), leaf (before), leaf (after),
///          list of (bit (2), digest) (left), list of (bit (2), digest) (right)
/// key    = 0: none / 1...: its index among those that are asked, from 1 / 255: length, bytes
/// leaf   = key, digest if there is a key
/// ```
/// Values and digests are an index, or 255 and the bytes themselves; of a digest 32. A list begins with its count.
private struct RangeProofRecipe {
    let sample: ProofSample
    private var input: InputReader

    init(_ bytes: [UInt8]) {
        input = InputReader(bytes)
        sample = ProofSample.all[input.byte() % ProofSample.all.count]
    }

    mutating func read() -> (from: [UInt8]?, to: [UInt8]?, RangeProof) {
        let (from, to, count) = (key(), key(), input.number())
        let rows = list { RangeProof.Row(key: $0.key() ?? [], value: $0.value()) }
        let (before, after) = (leaf(), leaf())
        let (left, right) = (list { $0.step() }, list { $0.step() })
        return (from, to, RangeProof(count: count, rows: rows, before: before, after: after, left: left, right: right))
    }

    private mutating func list<Item>(_ item: (inout Self) -> Item) -> [Item] {
        (0..<(input.byte() & 63)).map { _ in item(&self) }
    }

    private mutating func key() -> [UInt8]? {
        switch input.byte() {
        case 0: nil
        case 255: input.bytes(input.byte())
        case let index: sample.asked[(index - 1) % sample.asked.count]
        }
    }

    private mutating func value() -> [UInt8] {
        let index = input.byte()
        return index == 255 ? input.bytes(input.byte()) : sample.values[index % sample.values.count]
    }

    private mutating func digest() -> Digest {
        let index = input.byte()
        guard index == 255 else { return sample.digests[index % sample.digests.count] }
        let bytes = input.bytes(32)
        return Digest(bytes: (bytes + Array(repeating: 0, count: 32 - bytes.count))[...])!
    }

    private mutating func leaf() -> Proof.Leaf? { key().map { Proof.Leaf(key: $0, valueHash: digest()) } }

    private mutating func step() -> Proof.Step { Proof.Step(bit: input.number(), sibling: digest()) }
}

// MARK: - From a proof

extension RangeProofRecipe {
    static func recipe(_ proof: RangeProof, sample number: Int, from: [UInt8]?, to: [UInt8]?) -> [UInt8] {
        let sample = ProofSample.all[number]
        var bytes = [UInt8(number)] + key(from, sample) + key(to, sample) + [UInt8(proof.count), 0]
        bytes.append(UInt8(proof.rows.count))
        for row in proof.rows { bytes += key(row.key, sample) + [UInt8(sample.values.firstIndex(of: row.value)!)] }
        bytes += leaf(proof.before, sample) + leaf(proof.after, sample)
        return bytes + steps(proof.left, sample) + steps(proof.right, sample)
    }

    private static func key(_ key: [UInt8]?, _ sample: ProofSample) -> [UInt8] {
        [key.map { UInt8(sample.asked.firstIndex(of: $0)! + 1) } ?? 0]
    }

    private static func digest(_ digest: Digest, _ sample: ProofSample) -> [UInt8] {
        [UInt8(sample.digests.firstIndex(of: digest)!)]
    }

    private static func leaf(_ leaf: Proof.Leaf?, _ sample: ProofSample) -> [UInt8] {
        key(leaf?.key, sample) + (leaf.map { digest($0.valueHash, sample) } ?? [])
    }

    private static func steps(_ steps: [Proof.Step], _ sample: ProofSample) -> [UInt8] {
        [UInt8(steps.count)]
            + steps.flatMap { step in
                [UInt8(step.bit & 255), UInt8(step.bit >> 8)] + digest(step.sibling, sample)
            }
    }
}
