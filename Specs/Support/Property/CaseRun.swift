/// What became of one case: the choices that it made, and why it failed if it did.
struct CaseRun {
    let made: [Choice]
    let spans: [Range<Int>]
    let notes: [String]
    let error: (any Error)?

    init(
        _ choices: consuming Choices, reach: inout Reach, _ law: (inout Choices, inout Reach) throws -> Void
    ) {
        var choices = choices
        var error: (any Error)?
        do { try law(&choices, &reach) } catch let thrown { error = thrown }
        made = choices.made
        spans = choices.spans
        notes = choices.notes
        self.error = error
    }

    var values: [UInt64] { made.map(\.value) }

    /// Whether both fail, and in the same way: at the same expectation, or with an error of the same type.
    func failsLike(_ other: CaseRun) -> Bool {
        guard let error, let otherError = other.error else { return false }
        return Self.kind(error) == Self.kind(otherError)
    }

    private static func kind(_ error: any Error) -> String {
        (error as? UnmetExpectation)?.place ?? String(reflecting: type(of: error))
    }
}
