/// What a law says does not hold for a case.
package struct UnmetExpectation: Error, CustomStringConvertible {
    package let what: String
    /// The file and line where the law says it.
    package let place: String

    package var description: String { what.isEmpty ? "at \(place)" : "\(what), at \(place)" }
}

/// Says what a law expects of a case. Within a law this stands for Swift Testing's `#expect`, which would report each
/// of the failures met while shrinking.
package func expect(
    _ holds: Bool, _ what: @autoclosure () -> String = "", file: String = #fileID, line: Int = #line
) throws(UnmetExpectation) {
    guard !holds else { return }
    throw UnmetExpectation(what: what(), place: "\(file):\(line)")
}

/// Expects two values to be equal, and shows both if they are not.
package func expectEqual<Value: Equatable>(
    _ found: Value, _ expected: Value, _ what: @autoclosure () -> String = "", file: String = #fileID, line: Int = #line
) throws(UnmetExpectation) {
    try expect(found == expected, "\(what()) \(found) is not \(expected)", file: file, line: line)
}

/// Expects the body to throw.
package func expectThrows(
    _ what: @autoclosure () -> String = "", file: String = #fileID, line: Int = #line, _ body: () throws -> Void
) throws(UnmetExpectation) {
    do { try body() } catch { return }
    throw UnmetExpectation(what: "nothing is thrown: \(what())", place: "\(file):\(line)")
}
