import ArgumentParser
import Rootfast

struct InDoubt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "in-doubt", abstract: "List the transactions that have voted and wait for their decision.",
        discussion: "Exit code 3 if there are any.")

    @OptionGroup var arguments: StoreArguments

    func run() throws {
        let transactions = try arguments.openToRead().inDoubt()
        try Output.whileRead { try tell(transactions) }
        if !transactions.isEmpty { throw ExitStatus.wantsAttention }
    }

    private func tell(_ transactions: [InDoubtTransaction]) throws {
        guard arguments.isJSON else {
            for transaction in transactions { try Output.standard.print(transaction.line) }
            return
        }
        var answer = Answer()
        answer.list(inDoubt: transactions)
        try Output.standard.print(answer)
    }
}

extension Answer {
    mutating func list(inDoubt transactions: [InDoubtTransaction]) {
        objects("in_doubt", transactions) { $1.describe($0) }
    }

    mutating func describe(_ transaction: InDoubtTransaction) {
        text("tx_id", transaction.id)
        number("voted_at_us", transaction.timestamp)
        keys("keys", transaction.keys)
        number("reads", transaction.readCount)
    }
}

extension InDoubtTransaction {
    /// For people, in one line.
    var line: String {
        let changes = keys.count == 1 ? "1 key" : "\(keys.count) keys"
        return "\(id)  changes \(changes), holds \(readCount) reads, voted \(UTCTime(microseconds: timestamp))"
    }
}
