/// What reads bytes from outside, and the law that it keeps whatever the bytes are.
///
/// The fuzzer searches for bytes that break the law (`tools/fuzz`); what it has kept is tried in every test run
/// (`Specs/Laws/FuzzCorpusLawTests.swift`).
package struct FuzzSubject: Sendable {
    /// Also that of its folder in `Specs/Fuzz/Corpora`.
    package let name: String
    /// Inputs to begin with, which are honest.
    package let seeds: @Sendable () throws -> [[UInt8]]
    /// What inputs are made of, as far as the fuzzer would not come upon it by itself.
    package let words: @Sendable () -> [[UInt8]]
    /// Tries an input, and says what became of it. Throws if the law does not hold.
    package let check: @Sendable ([UInt8]) throws -> String

    package static let all: [FuzzSubject] = [.record, .segmentHeader, .proof, .rangeProof, .page, .stateFile]
}
