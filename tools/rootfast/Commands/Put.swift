import ArgumentParser
import Rootfast

struct Put: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Set the value of a key.")

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The key.", transform: Spelling.key) var key: [UInt8]
    @Argument(help: "The value.", transform: Spelling.value) var value: [UInt8]

    func run() throws {
        try arguments.writing { store in
            try Output.standard.print(store.write { try $0.put(key, value) }, asJSON: arguments.isJSON)
        }
    }
}

struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove a key.", discussion: "Exit code 12, and nothing written, if there is no such key.")

    @OptionGroup var arguments: StoreArguments
    @Argument(help: "The key.", transform: Spelling.key) var key: [UInt8]

    func run() throws {
        try arguments.writing { store in
            let receipt = try store.write { transaction in
                guard try transaction.get(key) != nil else { throw Failure.noSuchKey(key, arguments.store) }
                try transaction.delete(key)
            }
            try Output.standard.print(receipt, asJSON: arguments.isJSON)
        }
    }
}

extension Output {
    /// Prints what a commit gave back.
    func print(_ receipt: Receipt, asJSON: Bool) throws {
        guard asJSON else { return try print("committed \(receipt.sequence), root \(receipt.root)") }
        var answer = Answer()
        answer.receipt(receipt)
        try print(answer)
    }
}

extension Answer {
    mutating func receipt(_ receipt: Receipt) {
        number("sequence", receipt.sequence)
        digest("root", receipt.root)
        number("root_sequence", receipt.rootSequence)
    }
}
