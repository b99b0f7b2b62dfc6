import CommitLog
import Hashing
import StateTree
import StrictJSON

extension ProofDocument {
    /// Reads a document, strictly; linear in time, and bounded before any of it is looked at.
    package init(json: [UInt8]) throws(ProofFormatError) {
        guard json.count <= Self.byteCountMax else {
            throw ProofFormatError("it is longer than \(Self.byteCountMax) bytes")
        }
        do {
            var reader = try JSONReader(json)
            var members = Members()
            try reader.beginObject()
            while let name = reader.nextKey() { try members.read(String(decoding: name, as: UTF8.self), &reader) }
            self = try members.document()
        } catch let error as ProofFormatError {
            throw error
        } catch {
            throw ProofFormatError("\(error)")
        }
    }

    /// The members as they come, in any order.
    private struct Members {
        private var schema: UInt64?
        private var kind: [UInt8]?
        private var count: Int?
        /// The outer `nil` is a member that is missing, the inner one `null`.
        private var leaf: Proof.Leaf??
        private var path: [Proof.Step]?
        private var key: [UInt8]?
        private var root: Digest?
        private var sequence: UInt64?
        private var value: [UInt8]?

        mutating func read(_ name: String, _ reader: inout JSONReader) throws {
            switch name {
            case "schema": schema = try reader.readUnsigned()
            case "kind": kind = try reader.readString()
            case "key": key = try readKey(&reader)
            case "count": count = try readCount(&reader)
            case "leaf": leaf = .some(try readLeaf(&reader))
            case "path": path = try readPath(&reader)
            case "root": root = try readDigest(&reader)
            case "sequence": sequence = try reader.readUnsigned()
            case "value": value = try readValue(&reader)
            default: throw ProofFormatError("it has a member that a proof does not have")
            }
        }

        func document() throws(ProofFormatError) -> ProofDocument {
            guard schema == ProofDocument.schema else { throw ProofFormatError("its schema is not 1") }
            guard kind == Array(ProofDocument.kind.utf8) else { throw ProofFormatError("its kind is not \"proof\"") }
            guard let count, let leaf, let path else { throw ProofFormatError("its count, leaf or path is missing") }
            return ProofDocument(
                Proof(count: count, leaf: leaf, path: path), key: key, root: root, sequence: sequence, value: value)
        }
    }
}

// MARK: - Parts

private func readKey(_ reader: inout JSONReader) throws -> [UInt8] {
    guard let key = RecordText.key(try reader.readString()) else {
        throw ProofFormatError("a key is not base64 behind $")
    }
    return key
}

private func readCount(_ reader: inout JSONReader) throws -> Int {
    guard let count = Int(exactly: try reader.readUnsigned()) else { throw ProofFormatError("its count is too large") }
    return count
}

private func readDigest(_ reader: inout JSONReader) throws -> Digest {
    guard let digest = Digest(hex: String(decoding: try reader.readString(), as: UTF8.self)) else {
        throw ProofFormatError("a hash is not 64 lower-case hexadecimal digits")
    }
    return digest
}

private func readValue(_ reader: inout JSONReader) throws -> [UInt8] {
    guard let value = try RecordText.readValue(&reader) else { throw ProofFormatError("its value is null") }
    return value
}

private func readLeaf(_ reader: inout JSONReader) throws -> Proof.Leaf? {
    if reader.kind == .null {
        try reader.readNull()
        return nil
    }
    var key: [UInt8]?
    var valueHash: Digest?
    try reader.beginObject()
    while let name = reader.nextKey() {
        switch String(decoding: name, as: UTF8.self) {
        case "key": key = try readKey(&reader)
        case "value_hash": valueHash = try readDigest(&reader)
        default: throw ProofFormatError("its leaf has a member that a leaf does not have")
        }
    }
    guard let key, let valueHash else { throw ProofFormatError("its leaf has no key or no value_hash") }
    return Proof.Leaf(key: key, valueHash: valueHash)
}

private func readPath(_ reader: inout JSONReader) throws -> [Proof.Step] {
    var path: [Proof.Step] = []
    try reader.beginArray()
    while reader.hasNext() {
        guard path.count < Limits.keyBitsMax else { throw ProofFormatError("its path is longer than any key") }
        path.append(try readStep(&reader))
    }
    return path
}

private func readStep(_ reader: inout JSONReader) throws -> Proof.Step {
    var bit: Int?
    var sibling: Digest?
    try reader.beginObject()
    while let name = reader.nextKey() {
        switch String(decoding: name, as: UTF8.self) {
        case "bit": bit = try readBit(&reader)
        case "sibling": sibling = try readDigest(&reader)
        default: throw ProofFormatError("a step of its path has a member that a step does not have")
        }
    }
    guard let bit, let sibling else { throw ProofFormatError("a step of its path has no bit or no sibling") }
    return Proof.Step(bit: bit, sibling: sibling)
}

private func readBit(_ reader: inout JSONReader) throws -> Int {
    let bit = try reader.readUnsigned()
    guard bit < UInt64(Limits.keyBitsMax) else { throw ProofFormatError("a bit of its path is beyond any key") }
    return Int(bit)
}
