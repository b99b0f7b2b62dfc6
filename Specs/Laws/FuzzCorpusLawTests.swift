import Foundation
import FuzzSubjects
import SpecSupport
import Testing

/// What the fuzzer has kept, and the seeds that it begins with, keep the laws of `Specs/Fuzz/Subjects`.
@Suite struct FuzzCorpusLawTests {
    /// What must become of how many inputs for a subject's corpus to say anything.
    private static let reaching: [String: [String: Int]] = [
        "record": ["prepare": 20, "decision": 20, "refused": 50],
        "segment-header": ["read": 10, "parsed": 2, "refused": 20],
        "proof": ["present": 3, "absent": 3, "refused": 5, "no document": 50],
        "range-proof": ["rows": 5, "no rows": 5, "refused": 20, "refused by the root": 2],
        "page": ["honest": 12, "refused": 10, "refused by its hash": 5],
        "state-file": ["harmless": 50, "refused": 10, "seen by check": 50, "forged": 20],
    ]

    @Test(arguments: FuzzSubject.all.map(\.name)) func `what was fuzzed once is tried again`(_ name: String) throws {
        let subject = FuzzSubject.all.first { $0.name == name }!
        var reach = Reach()
        for (index, seed) in try subject.seeds().enumerated() { try Self.check(seed, "seed \(index)", subject, &reach) }
        let kept = try Self.corpus(of: subject)
        for (file, input) in kept { try Self.check(input, file, subject, &reach) }
        reach.report("fuzz corpus of \(name)", "\(kept.count) inputs")
        try expect(!kept.isEmpty, "there is no corpus")
        for (what, times) in Self.reaching[name]! { try reach.require(reached: what, atLeast: times) }
    }

    private static func check(_ input: [UInt8], _ file: String, _ subject: FuzzSubject, _ reach: inout Reach) throws {
        do {
            reach.count(try subject.check(input))
        } catch {
            Issue.record("\(subject.name), \(file): \(error)")
            throw error
        }
    }

    private static func corpus(of subject: FuzzSubject) throws -> [(file: String, input: [UInt8])] {
        let specs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let folder = specs.appendingPathComponent("Fuzz/Corpora/\(subject.name)")
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
            ($0, Array(try Data(contentsOf: folder.appendingPathComponent($0))))
        }
    }
}
