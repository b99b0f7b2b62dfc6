import SQLite

extension StoreError {
    init(_ error: SQLiteError) {
        let place = Place(file: StateFile.name)
        if error.isDamage {
            self.init(
                .corrupt, "The state file is damaged: \(error.message)", at: place,
                advice: "Run check. Restore the store from a backup, or salvage what can be proven.")
        } else if error.isLackOfRoom {
            self.init(
                .noSpace, "There is no room on the disk for the state file: \(error.message)", at: place,
                advice: "Make room and try again.")
        } else {
            self.init(
                .inputOutput(call: "sqlite3", errno: error.errno == 0 ? error.code : error.errno),
                "The state file cannot be used: \(error.message)", at: place,
                advice: "Look at the disk and at the folder's permissions.")
        }
    }

    static func wrapping<R>(_ body: () throws(SQLiteError) -> R) throws(StoreError) -> R {
        do throws(SQLiteError) { return try body() } catch { throw StoreError(error) }
    }
}
