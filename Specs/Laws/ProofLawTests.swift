import Foundation
import Hashing
import Rootfast
import SpecSupport
import StateTree
import Testing

/// The law of proofs: every honest proof verifies, and nothing else does. For a key or range there is exactly one
/// proof under a root: what verifies is that one.
@Suite struct ProofLawTests {
    @Test func `every honest proof verifies, of any key and range of any state`() throws {
        let reaching = [
            "present": 3_000, "absent": 4_000, "empty state": 5, "one key": 5, "more than 1,000 keys": 4,
            "longest key": 80, "long value": 200, "20 steps": 200, "range": 1_000, "empty range": 200,
            "no neighbours": 100,
        ]
        try checkLaw("proofs: honest", cases: 300, reaching: reaching) { choices, reach in
            let state = choices.state(0...3_000)
            let view = state.view
            reach.count(state.keys.isEmpty ? "empty state" : state.keys.count == 1 ? "one key" : "many keys")
            if state.keys.count > 1_000 { reach.count("more than 1,000 keys") }
            for _ in 0..<40 {
                let key = choices.key(asked: state)
                choices.note("\(state.keys.count) keys, asked \(key)")
                let proof = view.proof(for: key)
                let expected = state.model[key].map { Membership.present(valueHash: BLAKE2b.hash($0)) } ?? .absent
                try expect(proof.verify(key: key, root: state.root) == expected)
                Self.count(proof, state.model[key], &reach)
            }
            for _ in 0..<10 {
                let range = choices.range(of: state)
                choices.note("\(state.keys.count) keys, range \(range)")
                let proof = try view.rangeProof(from: range.from, to: range.to)
                try proof.verify(from: range.from, to: range.to, root: state.root)
                try expect(proof.rows.map(\.key) == state.keys.filter { range.contains($0) })
                try expect(proof.rows.allSatisfy { state.model[$0.key] == $0.value })
                reach.count(proof.rows.isEmpty ? "empty range" : "range")
                if proof.before == nil && proof.after == nil { reach.count("no neighbours") }
            }
        }
    }

    @Test func `with any bit flipped, of the proof or of the root, it is refused`() throws {
        try checkLaw("proofs: bits", cases: 400, reaching: ["present": 100, "absent": 100, "flips": 500_000]) {
            choices, reach in
            let state = choices.state(1...300)
            let key = choices.key(asked: state)
            choices.note("\(state.keys.count) keys, asked \(key)")
            let honest = state.view.proof(for: key)
            reach.count(try honest.verify(key: key, root: state.root) == .absent ? "absent" : "present")
            try Self.flips(of: honest).forEach(of: honest, countMax: 4_000) { proof in
                try expectThrows("\(proof) verifies") { _ = try proof.verify(key: key, root: state.root) }
                reach.count("flips")
            }
            try Self.forEachRoot(near: state.root) { root in
                try expectThrows { _ = try honest.verify(key: key, root: root) }
            }
        }
    }

    @Test func `a range proof with any bit flipped is refused`() throws {
        let reaching = ["with neighbours": 100, "without": 10, "rows": 500, "flips": 500_000]
        try checkLaw("proofs: bits of ranges", cases: 300, reaching: reaching) { choices, reach in
            let state = choices.state(0...300)
            let range = choices.range(of: state, rowCountMax: 8)
            let honest = try state.view.rangeProof(from: range.from, to: range.to)
            choices.note("\(state.keys.count) keys, range \(range)")
            try Self.flips(of: honest).forEach(of: honest, countMax: 4_000) { proof in
                try expectThrows("\(proof) verifies") {
                    try proof.verify(from: range.from, to: range.to, root: state.root)
                }
                reach.count("flips")
            }
            try Self.forEachRoot(near: state.root) { root in
                try expectThrows { try honest.verify(from: range.from, to: range.to, root: root) }
            }
            reach.count("rows", honest.rows.count)
            reach.count(honest.before == nil && honest.after == nil ? "without" : "with neighbours")
        }
    }

    private static let kinds = ["order", "dropped step", "added step", "count", "leaf", "value", "bit", "spliced"]

    @Test func `of all that can be made of proofs only the honest one verifies`() throws {
        var reaching = Dictionary(uniqueKeysWithValues: Self.kinds.map { ($0, 200) })
        reaching["other key, refused"] = 2_000
        reaching["other key, same proof"] = 200
        try checkLaw("proofs: mutations", cases: 1_000, reaching: reaching) { choices, reach in
            let state = choices.state(0...200)
            let next = choices.changed(state)
            let key = choices.key(asked: state)
            let honest = state.view.proof(for: key)
            let others = [state.view.proof(for: choices.key(asked: state)), next.view.proof(for: key)]
            for _ in 0..<10 {
                let (how, proof) = choices.mutated(honest, others: others)
                choices.note("\(state.keys.count) keys, asked \(key), \(how): \(proof)")
                try Self.expectOnlyHonest(proof, of: key, state)
                if proof != honest { reach.count(how) }
            }
            for _ in 0..<5 {
                let other = choices.key(asked: state)
                choices.note("\(state.keys.count) keys, asked \(key), other key \(other)")
                let isTaken = try Self.expectOnlyHonest(honest, of: other, state)
                if other != key { reach.count(isTaken ? "other key, same proof" : "other key, refused") }
            }
            try Self.expectOnlyHonest(honest, of: key, next)
        }
    }

    private static let rangeKinds = [
        "order", "dropped row", "added row", "row", "value", "count", "neighbour", "neighbour for row", "steps",
        "spliced", "cut off",
    ]

    @Test func `of all that can be made of range proofs only the honest one verifies`() throws {
        var reaching = Dictionary(uniqueKeysWithValues: Self.rangeKinds.map { ($0, 200) })
        reaching["other bounds, refused"] = 2_000
        reaching["other bounds, same proof"] = 100
        try checkLaw("proofs: mutations of ranges", cases: 1_000, reaching: reaching) { choices, reach in
            let state = choices.state(0...100)
            let next = choices.changed(state)
            let range = choices.range(of: state)
            let honest = try state.view.rangeProof(from: range.from, to: range.to)
            let elsewhere = choices.range(of: state)
            let others = [
                try state.view.rangeProof(from: elsewhere.from, to: elsewhere.to),
                try next.view.rangeProof(from: range.from, to: range.to),
            ]
            for _ in 0..<10 {
                let (how, proof) = choices.mutated(honest, others: others)
                choices.note("\(state.keys.count) keys, \(range), \(how): \(proof)")
                try Self.expectOnlyHonest(proof, of: range, state)
                if proof != honest { reach.count(how) }
            }
            if let proof = Self.cutOff(honest, state, &choices) {
                choices.note("\(state.keys.count) keys, \(range), cut off: \(proof)")
                try Self.expectOnlyHonest(proof, of: range, state)
                if proof != honest { reach.count("cut off") }
            }
            for _ in 0..<5 {
                let other = choices.range(of: state)
                choices.note("\(state.keys.count) keys, \(range), other bounds \(other)")
                let isTaken = try Self.expectOnlyHonest(honest, of: other, state)
                if other != range { reach.count(isTaken ? "other bounds, same proof" : "other bounds, refused") }
            }
            try Self.expectOnlyHonest(honest, of: range, next)
        }
    }

    /// All states over six keys that begin as others do, and all that may be asked of them.
    @Test func `of every small state every proof holds, and with any bit flipped is refused`() throws {
        let universe: [[UInt8]] = [[0], [0, 0], [0, 1], [0x61], [0x61, 0x80], [0xFF, 0xFF]]
        let asked = universe + [[0, 0, 0], [0x61, 0]]
        let reaching = ["present": 192, "absent": 320]
        let tried = try checkEveryCase("proofs: small states", casesMax: 10_000, reaching: reaching) { choices, reach in
            let keys = universe.filter { _ in choices.bool() }
            let state = State(Dictionary(uniqueKeysWithValues: keys.map { ($0, $0) }))
            let key = choices.pick(asked)
            choices.note("keys \(keys), asked \(key)")
            let honest = state.view.proof(for: key)
            let membership = try honest.verify(key: key, root: state.root)
            try expect(membership == (keys.contains(key) ? .present(valueHash: BLAKE2b.hash(key)) : .absent))
            try Self.flips(of: honest).forEach(of: honest, countMax: .max) { proof in
                try expectThrows("\(proof)") { _ = try proof.verify(key: key, root: state.root) }
            }
            reach.count(membership == .absent ? "absent" : "present")
        }
        #expect(tried.isAll && tried.count == 512)
    }

    /// Bits that are no part of the claim (what the maker says beside it, and its spelling) leave the proof what it was.
    @Test func `with any bit of its document flipped, it is refused or is the same proof`() throws {
        let reaching = ["no document": 100_000, "refused": 20_000, "same proof, in the maker's word": 5_000]
        try checkLaw("proofs: documents", cases: 150, reaching: reaching) { choices, reach in
            let state = choices.state(0...100)
            let key = choices.key(asked: state)
            let honest = state.view.proof(for: key)
            let bare = ProofDocument(honest).json
            let said = ProofDocument(honest, key: key, root: state.root, sequence: 7, value: state.model[key]).json
            try expect(ProofDocument(json: bare).proof == honest && ProofDocument(json: said).proof == honest)
            for (document, isBare) in [(bare, true), (said, false)] {
                for bit in stride(from: 0, to: 8 * document.count, by: document.count / 500 | 1) {
                    var other = document
                    other[bit / 8] ^= 1 << UInt8(bit % 8)
                    guard let proof = try? ProofDocument(json: other).proof else {
                        reach.count("no document")
                        continue
                    }
                    choices.note("asked \(key): \(String(decoding: other, as: UTF8.self))")
                    try Self.expectOnlyHonest(proof, of: key, state)
                    let same = isBare ? "same proof, in another spelling" : "same proof, in the maker's word"
                    reach.count(proof == honest ? same : "refused")
                }
            }
        }
    }

    @Test func `Python, which shares no code, says the same of any proof`() throws {
        let laws = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let tools = laws.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("tools")
        let program = laws.appendingPathComponent("proof_oracle.py").path
        guard let python = try PythonOracle.start(program, [tools.path]) else { return }
        let reaching = ["present": 200, "absent": 200, "refused": 1_500]
        try checkLaw("proofs: Python", cases: 3_000, reaching: reaching) { choices, reach in
            let state = choices.state(0...60)
            let key = choices.key(asked: state)
            let honest = state.view.proof(for: key)
            let other = state.view.proof(for: choices.key(asked: state))
            let proof = choices.oneIn(4) ? honest : choices.mutated(honest, others: [other]).proof
            var document = ProofDocument(proof).json
            if choices.oneIn(3) { document = choices.damaged(document) }
            choices.note("asked \(key): \(String(decoding: document, as: UTF8.self))")
            let membership = try? ProofDocument(json: document).proof.verify(key: key, root: state.root)
            let said = membership.map { $0 == .absent ? "absent" : "present" } ?? "refused"
            let request = [document, key, state.root.withUnsafeBytes { Array($0) }]
            try expectEqual(said, python.answer(to: request.map(Self.hex).joined(separator: ":")))
            reach.count(said)
        }
    }

    // MARK: What the laws say

    /// If it verifies, it is the one honest proof of this key in this state. Returns whether it does.
    @discardableResult
    private static func expectOnlyHonest(_ proof: Proof, of key: [UInt8], _ state: State) throws -> Bool {
        guard (try? proof.verify(key: key, root: state.root)) != nil else { return false }
        try expect(proof == state.view.proof(for: key), "another proof than the honest one verifies")
        return true
    }

    @discardableResult
    private static func expectOnlyHonest(_ proof: RangeProof, of range: KeyRange, _ state: State) throws -> Bool {
        guard (try? proof.verify(from: range.from, to: range.to, root: state.root)) != nil else { return false }
        let honest = try state.view.rangeProof(from: range.from, to: range.to)
        try expect(proof == honest, "another proof than the honest one verifies")
        return true
    }

    /// What one who has the whole tree can make to hide what lies at one end of a range: no neighbour there, and all that
    /// was left out among the siblings. Nothing but the missing neighbour shows it.
    private static func cutOff(_ honest: RangeProof, _ state: State, _ choices: inout Choices) -> RangeProof? {
        guard !honest.rows.isEmpty else { return nil }
        let index = choices.below(honest.rows.count)
        let key = honest.rows[index].key
        let path = state.view.proof(for: key).path
        var proof = honest
        if choices.bool() {
            (proof.rows, proof.after) = (Array(honest.rows[...index]), nil)
            proof.right = path.filter { !isSet($0.bit, of: key) }
        } else {
            (proof.rows, proof.before) = (Array(honest.rows[index...]), nil)
            proof.left = path.filter { isSet($0.bit, of: key) }
        }
        return proof
    }

    /// A key's bit, by the definition.
    private static func isSet(_ bit: Int, of key: [UInt8]) -> Bool {
        guard bit / 9 < key.count else { return false }
        return bit % 9 == 0 || key[bit / 9] >> UInt8(8 - bit % 9) & 1 == 1
    }

    private static func count(_ proof: Proof, _ value: [UInt8]?, _ reach: inout Reach) {
        reach.count(value == nil ? "absent" : "present")
        if proof.leaf?.key.count == 1_024 { reach.count("longest key") }
        if value.map({ $0.count > 768 }) ?? false { reach.count("long value") }
        if proof.path.count >= 20 { reach.count("20 steps") }
    }

    private static func forEachRoot(near root: Digest, _ body: (Digest) throws -> Void) rethrows {
        var flips = Flips<Digest>()
        flips.add(\.self)
        try flips.forEach(of: root, countMax: .max, body)
    }

    private static func flips(of proof: Proof) -> Flips<Proof> {
        var flips = Flips<Proof>()
        flips.add(\.count)
        if let leaf = proof.leaf {
            flips.add(\.leaf!.key, count: leaf.key.count)
            flips.add(\.leaf!.valueHash)
        }
        for index in proof.path.indices {
            flips.add(\.path[index].bit)
            flips.add(\.path[index].sibling)
        }
        return flips
    }

    private static func flips(of proof: RangeProof) -> Flips<RangeProof> {
        var flips = Flips<RangeProof>()
        flips.add(\.count)
        for (index, row) in proof.rows.enumerated() {
            flips.add(\.rows[index].key, count: row.key.count)
            flips.add(\.rows[index].value, count: row.value.count)
        }
        if let before = proof.before {
            flips.add(\.before!.key, count: before.key.count)
            flips.add(\.before!.valueHash)
        }
        if let after = proof.after {
            flips.add(\.after!.key, count: after.key.count)
            flips.add(\.after!.valueHash)
        }
        for index in proof.left.indices {
            flips.add(\.left[index].bit)
            flips.add(\.left[index].sibling)
        }
        for index in proof.right.indices {
            flips.add(\.right[index].bit)
            flips.add(\.right[index].sibling)
        }
        return flips
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Half-open; `nil` is no bound.
private struct KeyRange: Equatable {
    var from: [UInt8]?
    var to: [UInt8]?

    func contains(_ key: [UInt8]) -> Bool {
        from.map { !key.lexicographicallyPrecedes($0) } ?? true && to.map { key.lexicographicallyPrecedes($0) } ?? true
    }
}

/// A state as a plain map, and as the tree that proves things of it.
private struct State {
    let model: [[UInt8]: [UInt8]]
    /// In rising order.
    let keys: [[UInt8]]
    let view: TreeView
    let root: Digest

    init(_ model: [[UInt8]: [UInt8]]) {
        self.model = model
        keys = model.keys.sorted { $0.lexicographicallyPrecedes($1) }
        let tree = Tree(kernel: .scalar)
        for (key, value) in model {
            // Without a store no page can be missing.
            key.withUnsafeBytes { key in value.withUnsafeBytes { try! tree.put(key, $0) } }
        }
        view = tree.freeze(hashing: true)
        root = view.root!
    }
}

extension TreeView {
    fileprivate func proof(for key: [UInt8]) -> Proof { try! key.withUnsafeBytes { try proof(for: $0) } }
}

extension Choices {
    fileprivate mutating func state(_ counts: ClosedRange<Int>) -> State {
        let pairs = keys(counts).map { key in
            (key, oneIn(3) ? filler(0...5_000, edges: [768]) : bytes(0...6))
        }
        return State(Dictionary(uniqueKeysWithValues: pairs))
    }

    /// The state with one key added, changed or taken away.
    fileprivate mutating func changed(_ state: State) -> State {
        var model = state.model
        let key = key(asked: state)
        if oneIn(2) { model[key] = nil } else { model[key] = (model[key] ?? []) + [1] }
        return State(model)
    }

    /// A key that is there, that is like one that is, or any other.
    fileprivate mutating func key(asked state: State) -> [UInt8] {
        state.keys.isEmpty || bool() ? key(like: state.keys) : pick(state.keys)
    }

    /// A range whose bounds are keys of the state, or like one of them, or none.
    fileprivate mutating func range(of state: State, rowCountMax: Int = .max) -> KeyRange {
        var (from, to) = (oneIn(6) ? nil : key(asked: state), oneIn(6) ? nil : key(asked: state))
        if let a = from, let b = to, b.lexicographicallyPrecedes(a) { (from, to) = (b, a) }
        let range = KeyRange(from: from, to: to)
        let rows = state.keys.filter { range.contains($0) }
        return rows.count <= rowCountMax ? range : KeyRange(from: from, to: rows[rowCountMax])
    }
}
