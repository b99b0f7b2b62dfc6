import ArgumentParser
import Rootfast

struct Initialize: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a store, unless there is one already.")

    @OptionGroup var arguments: StoreArguments

    func run() throws {
        let store = try arguments.openOrCreate()
        try arguments.closing(store) {
            guard arguments.isJSON else {
                if !store.recovery.isNew { Output.error("rootfast: there is a store in \(arguments.store) already") }
                return try Output.standard.print(store.uuid)
            }
            var answer = Answer()
            answer.text("store", store.uuid)
            answer.flag("created", store.recovery.isNew)
            try Output.standard.print(answer)
        }
    }
}
