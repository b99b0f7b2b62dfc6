package import Rootfast

/// What one attempt of a transaction did, what it saw, and what came of it.
package struct RecordedTransaction: Sendable {
    package enum End: Sendable {
        /// It took effect as this commit.
        case committed(UInt64)
        /// It changed nothing, and was acknowledged when this was the last commit.
        case changedNothing(UInt64)
        /// It read a view of this sequence.
        case viewed(UInt64)
        /// It lost, gave up or was aborted.
        case withoutEffect
    }

    package var name: String
    /// The last commit that anybody was told of before this began.
    package var knownBefore: UInt64
    package var steps: [(operation: Operation, found: [Entry])] = []
    package var end = End.withoutEffect

    package init(_ name: String, knownBefore: UInt64) {
        self.name = name
        self.knownBefore = knownBefore
    }

    /// Does the same on a model. Returns the first step that found something else there, and what.
    package func replay(on state: inout ModelState) -> String? {
        for (operation, found) in steps {
            let expected = state.perform(operation)
            if found != expected { return "\(operation) found \(Self.text(found)), not \(Self.text(expected))" }
        }
        return nil
    }

    private static func text(_ entries: [Entry]) -> String {
        "[" + entries.map { "\($0.key.text) = \($0.value.text)" }.joined(separator: ", ")
            + "]"
    }
}
