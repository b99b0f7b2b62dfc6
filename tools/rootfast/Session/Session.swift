import ArgumentParser
import Rootfast

struct Session: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answer requests from standard input, one JSON object a line, each with one line.",
        discussion: #"""
            A line is answered when what the answer says is true: a commit when it is durable. What cannot be done is \
            answered with {"error":{"code":…,"message":…,"advice":…}}, and the session goes on; its end is close, or the \
            end of the input, and closes the store. Makes the store if there is none. Always answers in JSON.

            Several transactions can be open, each under a name of its client's; begin, commit, prepare and rollback \
            need "tx":NAME, and an open transaction ends with the last three, whatever comes of it. Keys and values are \
            spelled as in the log: {"$base64":"…"} is bytes, and behind the $ of a key stands base64.

              {"op":"begin","tx":"a"}
              {"op":"get","tx":"a","key":"k"}                   without tx: of the newest durable state
              {"op":"scan","tx":"a","from":"a","to":"z","prefix":"…","limit":9,"reverse":true}
              {"op":"put","tx":"a","key":"k","value":5}
              {"op":"delete","tx":"a","key":"k"}
              {"op":"commit","tx":"a","tx_id":"pay-1"}          the tx_id may be left out
              {"op":"prepare","tx":"a","tx_id":"pay-2"}         a vote
              {"op":"rollback","tx":"a"}
              {"op":"write","data":{"k":5,"l":null},"reads":["m",["a","c"]],"tx_id":"pay-3"}   all at once; null deletes
              {"op":"prepare","data":{"k":6},"reads":["m"],"tx_id":"pay-4"}
              {"op":"decide","tx_id":"pay-4","commit":false,"reason":"no money"}
              {"op":"outcome","tx_id":"pay-4"}
              {"op":"get","key":"k","sequence":3}               so too scan and root: a state of the past
              {"op":"retain","dry_run":true}
              {"op":"root"}      and, as bare: in_doubt, status, snapshots, snapshot, compact, seal, check, flush, close
            """#)

    @OptionGroup var arguments: StoreArguments
    @OptionGroup var limits: RetentionArguments
    @Flag(help: "Do maintenance only when a request asks for it.") var manual = false

    func run() throws {
        let store = try arguments.openOrCreate(options)
        let conversation = Conversation(with: store, at: arguments.store)
        do {
            try answerLines(conversation)
        } catch {
            try? store.close()
            throw error
        }
        if !conversation.isOver { try Failure.naming(arguments.store) { try store.close() } }
    }

    private func answerLines(_ conversation: Conversation) throws {
        var reader = LineReader(try InputFile("-"))
        while !conversation.isOver {
            switch try reader.next() {
            case .end, .notYet: return
            case .tooLong: try Output.standard.print(Self.tooLong.answer)
            case .line(let line): try Output.standard.print(conversation.answer(line))
            }
        }
    }

    /// Nothing but this session changes the state, so that a transaction that loses would lose again.
    private var options: Options {
        var options = limits.areGiven ? Options() : .keepingAll
        if limits.areGiven { options.retention = limits.retention }
        options.maintainsItself = !manual
        options.attemptsMax = 1
        return options
    }

    private static let tooLong = Failure(
        .failed, "line_too_long", "The line is longer than \(LineReader.byteCountMax) bytes",
        advice: "Split the transaction into smaller ones.")
}
