import ArgumentParser
import Rootfast

struct Prove: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a proof, as JSON, that a key is present or absent.",
        discussion: """
            Whoever trusts the root checks it with rootfast verify-proof or tools/verify_proof.py, without the store.
            """)

    @OptionGroup var arguments: StoreArguments
    @OptionGroup var past: SequenceArguments
    @Argument(help: "The key.", transform: Spelling.key) var key: [UInt8]

    func run() throws {
        let view = try past.view(of: arguments)
        let document = ProofDocument(
            try view.proof(for: key), key: key, root: view.root, sequence: view.sequence, value: try view.get(key))
        try Output.standard.print(document.json)
    }
}
