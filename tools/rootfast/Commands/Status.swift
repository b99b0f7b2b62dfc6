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
        if arguments.isJSON {
            try Output.standard.print(answer(status, recovery))
        } else {
            try printText(status, recovery)
        }
        if status.inDoubtCount > 0 || recovery.tornTail != nil { throw ExitStatus.wantsAttention }
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

    private func answer(_ status: StoreStatus, _ recovery: RecoveryReport) -> Answer {
        var answer = Answer()
        answer.text("store", status.uuid)
        answer.number("sequence", status.sequence)
        answer.digest("root", status.root)
        answer.number("count", status.keyCount)
        answer.number("segment", status.segment)
        answer.number("record", status.recordNumber)
        answer.number("in_doubt", status.inDoubtCount)
        if let id = recovery.snapshotID {
            answer.object("snapshot") { answer in
                answer.number("id", id)
                answer.number("sequence", recovery.snapshotSequence)
            }
        }
        answer.tornTail(recovery.tornTail)
        return answer
    }
}

extension Answer {
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
