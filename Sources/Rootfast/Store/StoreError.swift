/// What went wrong, where, and what to try.
///
/// `code` is shaped by what the caller does next. The text says the rest in plain words.
public struct StoreError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        /// There is no store at this path, and making one was not asked for.
        case noStore
        /// Another process, or another `Store` in this one, has the store open for writing.
        case locked
        /// The store is damaged, and was left as it is. `place` says where.
        case corrupt
        /// A key, value, transaction id or range that cannot be. Nothing was written.
        case invalidArgument
        /// The transaction, its record as encoded, is larger than 64 MiB. Nothing was written.
        case tooLarge
        /// What the transaction read was changed by another commit, as often as it was tried. Nothing was written.
        case conflict
        /// A transaction in doubt holds a lock on what this one writes or reads. Nothing was written.
        case lockedByInDoubt(id: String)
        /// The transaction id is taken, by a transaction with this outcome. Nothing was written.
        case duplicateID(Outcome)
        /// No transaction in doubt has this id.
        case unknownTransaction
        /// The transaction was decided the other way before.
        case alreadyDecided(Outcome)
        /// There is no room on the disk. Nothing was written; try again when there is.
        case noSpace
        /// The write reached the disk in part, or not at all, or whole: reopen the store and ask `outcome(of:)`.
        case outcomeUnknown
        /// An earlier write failed, so the store takes none until it is reopened. Nothing was written.
        case poisoned
        /// A state of the past that is not there any more.
        case notRetained
        /// The store was opened to be read only, or was closed.
        case readOnly
        case closed
        /// A call to the operating system failed.
        case inputOutput(call: String, errno: Int32)
    }

    /// A place in the store's files.
    public struct Place: Hashable, Sendable {
        /// The file, relative to the store's folder.
        public var file: String
        /// The byte in the file.
        public var offset: Int?
        /// The last sequence that is whole before the place.
        public var sequence: UInt64?

        public init(file: String, offset: Int? = nil, sequence: UInt64? = nil) {
            self.file = file
            self.offset = offset
            self.sequence = sequence
        }
    }

    public var code: Code
    /// What happened, in one sentence.
    public var message: String
    public var place: Place?
    /// What to try, in one sentence.
    public var advice: String?

    public init(_ code: Code, _ message: String, at place: Place? = nil, advice: String? = nil) {
        self.code = code
        self.message = message
        self.place = place
        self.advice = advice
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        var text = message
        if let place {
            text += " (\(place.file)"
            if let offset = place.offset { text += ", byte \(offset)" }
            if let sequence = place.sequence { text += ", after sequence \(sequence)" }
            text += ")"
        }
        if let advice { text += ". \(advice)" }
        return text
    }
}
