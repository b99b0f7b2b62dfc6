import ArgumentParser
import Rootfast

/// Why a command did not do what it was asked for: what, where, and what to try.
struct Failure: Error {
    var status: ExitStatus
    /// A word for scripts.
    var code: String
    var message: String
    var file: String?
    var line: Int?
    var offset: Int?
    var sequence: UInt64?
    var advice: String?

    init(
        _ status: ExitStatus, _ code: String, _ message: String, file: String? = nil, line: Int? = nil,
        advice: String? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.file = file
        self.line = line
        self.advice = advice
    }

    /// `nil` for what the argument parser throws.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as StoreError: self.init(error)
        case let error as SystemFailure: self.init(.failed, "input_output", error.description, file: error.file)
        case let error as Output.Failed:
            self.init(.failed, "input_output", "Standard output cannot be written: \(error.reason)")
        default: return nil
        }
    }

    /// What is wrong with the arguments, for scripts; `nil` for help and version, which are no errors.
    init?(usage error: any Error) {
        guard RootfastTool.exitCode(for: error) == .validationFailure else { return nil }
        self.init(.usage, "usage", RootfastTool.message(for: error), advice: "See rootfast --help.")
    }

    init(_ error: StoreError) {
        self.init(Self.status(of: error.code), Self.word(for: error.code), error.message, advice: error.advice)
        file = error.place?.file
        offset = error.place?.offset
        sequence = error.place?.sequence
    }

    private static func status(of code: StoreError.Code) -> ExitStatus {
        switch code {
        case .noStore: .noStore
        case .locked: .locked
        case .corrupt: .verificationFailed
        case .unknownTransaction, .notRetained: .notFound
        case .invalidArgument: .usage
        default: .failed
        }
    }

    static func word(for code: StoreError.Code) -> String {
        switch code {
        case .noStore: "no_store"
        case .locked: "locked"
        case .corrupt: "corrupt"
        case .invalidArgument: "invalid_argument"
        case .tooLarge: "too_large"
        case .conflict: "conflict"
        case .lockedByInDoubt: "locked_by_in_doubt"
        case .duplicateID: "duplicate_id"
        case .unknownTransaction: "no_such_transaction"
        case .alreadyDecided: "already_decided"
        case .noSpace: "no_space"
        case .outcomeUnknown: "outcome_unknown"
        case .poisoned: "poisoned"
        case .readOnly: "read_only"
        case .closed: "closed"
        case .notRetained: "not_retained"
        case .inputOutput: "input_output"
        }
    }
}

// MARK: - Telling

extension Failure {
    /// Tells people on stderr; and with `asJSON` scripts on stdout.
    func tell(asJSON: Bool) {
        guard asJSON else { return Output.error("rootfast: \(description)") }
        // What cannot be told is told by the status.
        try? Output.standard.print(answer)
    }

    /// For scripts.
    var answer: Answer {
        var answer = Answer()
        answer.object("error") { error in
            error.text("code", code)
            error.text("message", message)
            error.text("file", file)
            error.number("line", line.map { UInt64($0) })
            error.number("offset", offset.map { UInt64($0) })
            error.number("sequence", sequence)
            error.text("advice", advice)
        }
        return answer
    }

    private var description: String {
        var places: [String] = []
        if let file { places.append(file) }
        if let line { places.append("line \(line)") }
        if let offset { places.append("byte \(offset)") }
        if let sequence { places.append("after sequence \(sequence)") }
        var text = message
        if !places.isEmpty { text += " (\(places.joined(separator: ", ")))" }
        if let advice { text += ". \(advice)" }
        return text
    }
}

extension Failure {
    /// The same with the store's path, as a store's own error does not know it.
    static func naming<R>(_ store: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let error as StoreError {
            var failure = Failure(error)
            failure.message = "\(store): \(error.message)"
            throw failure
        }
    }
}
