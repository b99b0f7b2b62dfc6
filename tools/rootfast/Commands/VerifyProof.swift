import ArgumentParser
import Hashing
import Rootfast

struct VerifyProof: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-proof", abstract: "Check a proof against a root that you trust. Needs no store.",
        discussion: "What the file says of its root is not looked at. Exit code 2 if the proof is refused.")

    @Argument(help: "What rootfast prove printed, or - for standard input.") var file: String
    @Option(help: "The root to trust: 64 hexadecimal digits.", transform: Self.digest) var root: Digest
    @Option(help: "The key that must be what the proof is of.", transform: Spelling.key) var key: [UInt8]?
    @OptionGroup var format: FormatArguments

    private static func digest(_ text: String) throws -> Digest {
        guard let digest = Digest(hex: text.lowercased()) else {
            throw ValidationError("a root is 64 hexadecimal digits")
        }
        return digest
    }

    func run() throws {
        guard let bytes = try InputFile(file).readAll(byteCountMax: ProofDocument.byteCountMax) else {
            throw refusal("It is longer than any proof")
        }
        do {
            let document = try ProofDocument(json: bytes)
            let key = try askedKey(document)
            try tell(key, try verify(document, key), hasValue: document.value != nil)
        } catch let error as ProofFormatError {
            throw refusal("This is not a proof: \(error.reason)")
        } catch let error as ProofError {
            throw refusal(error.sentence)
        }
    }

    private func askedKey(_ document: ProofDocument) throws -> [UInt8] {
        guard let asked = key ?? document.key else { throw refusal("It names no key, and none was given with --key") }
        if let own = document.key, own != asked { throw refusal("It is of another key, \(Spelling.shown(own))") }
        return asked
    }

    private func verify(_ document: ProofDocument, _ key: [UInt8]) throws -> Membership {
        let membership = try document.proof.verify(key: key, root: root)
        guard let value = document.value else { return membership }
        guard case .present(let hash) = membership else { throw refusal("It gives a value for a key that is absent") }
        guard BLAKE2b.hash(value) == hash else { throw refusal("The value is not the one that was proved") }
        return membership
    }

    private func refusal(_ reason: String) -> Failure {
        Failure(.verificationFailed, "proof_refused", "The proof is refused: \(reason)", file: file)
    }

    private func tell(_ key: [UInt8], _ membership: Membership, hasValue: Bool) throws {
        if format.json { return try Output.standard.print(answer(key, membership, hasValue: hasValue)) }
        switch membership {
        case .absent: try Output.standard.print("absent: \(Spelling.shown(key))")
        case .present(let hash):
            let value = hasValue ? ", with the value that is given" : ""
            try Output.standard.print("present: \(Spelling.shown(key)), value hash \(hash)\(value)")
        }
    }

    private func answer(_ key: [UInt8], _ membership: Membership, hasValue: Bool) -> Answer {
        var answer = Answer()
        answer.flag("verified", true)
        answer.key("key", key)
        switch membership {
        case .absent: answer.text("membership", "absent")
        case .present(let hash):
            answer.text("membership", "present")
            answer.digest("value_hash", hash)
            answer.flag("value_verified", hasValue)
        }
        answer.digest("root", root)
        return answer
    }
}

extension ProofError {
    /// Why a proof is refused, for people.
    fileprivate var sentence: String {
        switch self {
        case .keySize(let count): "A key has 1 to 1024 bytes, and one of its keys \(count)"
        case .count: "Its count and its leaf contradict each other"
        case .path(let step): "Step \(step) of its path is out of order, or beyond the leaf's key"
        case .wrongWay(let step): "At step \(step) of its path the key goes another way than the leaf's"
        case .rows(let index): "Its row \(index) is out of order"
        case .root(let rebuilt): "It leads to another root, \(rebuilt)"
        }
    }
}
