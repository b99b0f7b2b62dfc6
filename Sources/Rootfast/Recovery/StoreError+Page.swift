import StateTree

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension StoreError {
    /// A page or a long value of the state that cannot be read.
    init(_ error: PageError) {
        let place = Place(file: StateFile.name)
        let item = error.item == .page ? "Page" : "Long value"
        switch error.kind {
        case .damaged:
            self.init(
                .corrupt, "\(item) \(error.id) of the state is damaged: \(error.reason)", at: place,
                advice: "Run check. Restore the store from a backup, or salvage what can be proven.")
        case .outdated:
            self.init(
                .inputOutput(call: "sqlite3", errno: ESTALE), "\(item) \(error.id) cannot be read: \(error.reason)",
                at: place, advice: "Open the store again.")
        case .unreadable(let code):
            self.init(
                .inputOutput(call: "sqlite3", errno: code),
                "\(item) \(error.id) of the state cannot be read: \(error.reason)", at: place,
                advice: "Look at the disk and at the folder's permissions.")
        }
    }

    static func wrapping<R>(_ body: () throws(PageError) -> R) throws(StoreError) -> R {
        do throws(PageError) { return try body() } catch { throw StoreError(error) }
    }
}
