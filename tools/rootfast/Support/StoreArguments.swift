import ArgumentParser
import Rootfast

/// What every command on a store takes.
struct StoreArguments: ParsableArguments {
    @Argument(help: "The store's folder.", completion: .directory)
    var store: String

    @OptionGroup var format: FormatArguments

    var isJSON: Bool { format.json }

    /// Reads the store as it is on disk, also beside a live writer, and changes nothing.
    func openToRead(_ options: Options = .keepingAll) throws -> Store { try open(.readOnly, options) }

    /// Opens a store that is there for writing.
    func openToWrite(_ options: Options = .keepingAll) throws -> Store { try open(.readWrite, options) }

    /// Opens a store for writing, makes it if it is missing, and says so.
    func openOrCreate(_ options: Options = .keepingAll) throws -> Store {
        let store = try open(.createIfMissing, options)
        if store.recovery.isNew { Output.error("rootfast: made a new store in \(self.store)") }
        return store
    }

    /// Runs `body` with the store open for writing, closes it whatever comes of it, and names it in errors.
    func writing<R>(_ options: Options = .keepingAll, _ body: (Store) throws -> R) throws -> R {
        let store = try openToWrite(options)
        return try closing(store) { try body(store) }
    }

    /// Runs `body`, then closes the store, whatever comes of it.
    func closing<R>(_ store: Store, _ body: () throws -> R) throws -> R {
        try Failure.naming(self.store) {
            let result: R
            do {
                result = try body()
            } catch {
                try? store.close()
                throw error
            }
            try store.close()
            return result
        }
    }

    private func open(_ mode: OpenMode, _ options: Options = Options()) throws -> Store {
        let path = store
        let store = try Failure.naming(path) { try Store.open(path, mode: mode, options: options) }
        if mode != .readOnly, let tail = store.recovery.tornTail {
            let copy = tail.copy.map { ", and kept as \($0)" } ?? ""
            Output.error(
                "rootfast: \(path): dropped a torn tail of \(tail.byteCount) bytes that nobody was told of\(copy)"
            )
        }
        return store
    }
}

extension Options {
    /// For a command that works on somebody's store: what is kept there is not for it to decide.
    static var keepingAll: Options {
        var options = Options()
        options.retention.snapshots = .init()
        options.retention.segments = .init()
        return options
    }

    /// For a command that does one thing to a store: nothing else is done to it in the background, nor on closing.
    static var forOneThing: Options {
        var options = Options()
        options.maintainsItself = false
        options.snapshotsOnClose = false
        return options
    }
}

/// How a command answers.
struct FormatArguments: ParsableArguments {
    @Flag(help: "Answer in JSON.")
    var json = false
}
