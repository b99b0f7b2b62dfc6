import Hashing
import SpecSupport
import StateTree

/// What an adversary may try with a proof, beyond flipping bits. `others` are honest proofs of the same state or of
/// another, to take parts from.
extension Choices {
    mutating func mutated(_ proof: Proof, others: [Proof]) -> (how: String, proof: Proof) {
        let other = pick(others)
        let how = pick(["order", "dropped step", "added step", "count", "leaf", "value", "bit", "spliced"])
        var proof = proof
        switch how {
        case "order": proof.path = shuffled(proof.path)
        case "dropped step": drop(from: &proof.path)
        case "added step": proof.path.insert(step(like: proof.path + other.path), at: below(proof.path.count + 1))
        case "count": proof.count = otherCount(proof.count)
        case "leaf": proof.leaf = oneIn(4) ? nil : oneIn(2) ? other.leaf : proof.leaf.map { leaf(like: $0) }
        case "value": proof.leaf?.valueHash = BLAKE2b.hash(bytes(0...3))
        case "bit" where !proof.path.isEmpty: proof.path[below(proof.path.count)].bit = below(9_300) - 10
        default:
            let cut = below(proof.path.count + 1)
            proof.path = Array(proof.path.prefix(cut) + other.path.dropFirst(cut))
            if bool() { proof.leaf = other.leaf }
        }
        return (how, proof)
    }

    mutating func mutated(_ proof: RangeProof, others: [RangeProof]) -> (how: String, proof: RangeProof) {
        let other = pick(others)
        let how = pick([
            "order", "dropped row", "added row", "row", "value", "count", "neighbour", "neighbour for row", "steps",
            "spliced",
        ])
        var proof = proof
        switch how {
        case "order": proof.rows = shuffled(proof.rows)
        case "dropped row": if !proof.rows.isEmpty { proof.rows.remove(at: below(proof.rows.count)) }
        case "added row":
            let row =
                bool()
                ? pick(proof.rows + other.rows + [.init(key: [0], value: [])]) : .init(key: bytes(1...3), value: [])
            proof.rows.insert(row, at: below(proof.rows.count + 1))
        case "row": if !proof.rows.isEmpty { proof.rows[below(proof.rows.count)].key = bytes(1...3) }
        case "value": if !proof.rows.isEmpty { proof.rows[below(proof.rows.count)].value = bytes(0...3) }
        case "count": proof.count = otherCount(proof.count)
        case "neighbour": changeNeighbour(&proof, other)
        case "neighbour for row": hideEnd(&proof)
        case "steps":
            if bool() { changeSteps(&proof.left, other.left) } else { changeSteps(&proof.right, other.right) }
        default:
            if bool() { proof.rows = other.rows }
            if bool() { (proof.before, proof.left) = (other.before, other.left) }
            if bool() { (proof.after, proof.right) = (other.after, other.right) }
        }
        return (how, proof)
    }

    private mutating func otherCount(_ count: Int) -> Int {
        pick([count + 1, count - 1, 0, -count, Int(magnitude(upTo: UInt64(Int.max)))])
    }

    private mutating func leaf(like leaf: Proof.Leaf) -> Proof.Leaf {
        Proof.Leaf(key: key(like: [leaf.key]), valueHash: leaf.valueHash)
    }

    private mutating func step(like steps: [Proof.Step]) -> Proof.Step {
        guard !steps.isEmpty, bool() else { return Proof.Step(bit: below(300), sibling: digest()) }
        var step = pick(steps)
        if bool() { step.bit += int(in: -2...2) }
        return step
    }

    private mutating func drop(from steps: inout [Proof.Step]) {
        if !steps.isEmpty { steps.remove(at: below(steps.count)) }
    }

    private mutating func changeSteps(_ steps: inout [Proof.Step], _ other: [Proof.Step]) {
        switch below(4) {
        case 0: drop(from: &steps)
        case 1: steps.insert(step(like: steps + other), at: below(steps.count + 1))
        case 2: steps = shuffled(steps)
        default: steps = other
        }
    }

    private mutating func changeNeighbour(_ proof: inout RangeProof, _ other: RangeProof) {
        switch below(4) {
        case 0: proof.before = nil
        case 1: proof.after = nil
        case 2: proof.before = (proof.before ?? other.before).map { leaf(like: $0) }
        default: proof.after = (proof.after ?? other.after).map { leaf(like: $0) }
        }
    }

    /// Leaves out the first or last row, by passing it off as the neighbour beside the range.
    private mutating func hideEnd(_ proof: inout RangeProof) {
        guard let first = proof.rows.first, let last = proof.rows.last else { return }
        if bool() {
            proof.before = Proof.Leaf(key: first.key, valueHash: BLAKE2b.hash(first.value))
            proof.rows.removeFirst()
        } else {
            proof.after = Proof.Leaf(key: last.key, valueHash: BLAKE2b.hash(last.value))
            proof.rows.removeLast()
        }
    }
}
