import ArgumentParser
import Rootfast

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show where a store stands.",
        discussion: "Exit code 3 if there is a torn tail or a transaction in doubt.")

    @OptionGroup var arguments: StoreArguments

    func run() throws {
        let store = try arguments.openToRead()
        let status = try store.status()
        let recovery = store.recovery
        for snapshot in recovery.badSnapshots {
            Output.error("rootfast: \(arguments.store): passed over what is not whole: \(snapshot)")
        }
        try Output.whileRead {
            if arguments.isJSON { try printAnswer(status, recovery) } else { try printText(status, recovery) }
        }
        if status.inDoubtCount > 0 || recovery.tornTail != nil { throw ExitStatus.wantsAttention }
    }

    private func printAnswer(_ status: StoreStatus, _ recovery: RecoveryReport) throws {
        var answer = Answer()
        answer.describe(status, recovery)
        try Output.standard.print(answer)
    }

    private func printText(_ status: StoreStatus, _ recovery: RecoveryReport) throws {
        try Output.standard.print("store     \(status.uuid)")
        try Output.standard.print("sequence  \(status.sequence)")
        try Output.standard.print("root      \(status.root)")
        try Output.standard.print("keys      \(status.keyCount)")
        try Output.standard.print("segment   \(status.segment)")
        try Output.standard.print("record    \(status.recordNumber)")
        try Output.standard.print("in doubt  \(status.inDoubtCount)")
        if let id = recovery.snapshotID {
            try Output.standard.print("snapshot  \(id), of sequence \(recovery.snapshotSequence ?? 0)")
        }
        if let tail = recovery.tornTail {
            try Output.standard.print("torn tail \(tail.byteCount) bytes in \(tail.place.file)")
        }
    }
}

extension Answer {
    mutating func describe(_ status: StoreStatus, _ recovery: RecoveryReport) {
        text("store", status.uuid)
        number("sequence", status.sequence)
        digest("root", status.root)
        number("count", status.keyCount)
        number("segment", status.segment)
        number("record", status.recordNumber)
        number("in_doubt", status.inDoubtCount)
        if let id = recovery.snapshotID {
            object("snapshot") { answer in
                answer.number("id", id)
                answer.number("sequence", recovery.snapshotSequence)
            }
        }
        tornTail(recovery.tornTail)
    }

    mutating func tornTail(_ tail: TornTailReport?) {
        guard let tail else { return }
        object("torn_tail") { answer in
            answer.text("file", tail.place.file)
            answer.number("offset", tail.place.offset.map { UInt64($0) })
            answer.number("sequence", tail.place.sequence)
            answer.number("bytes", tail.byteCount)
            answer.text("reason", tail.reason)
        }
    }
}
