import Foundation
import FuzzSubjects

/// What libFuzzer calls. `ROOTFAST_FUZZ_SUBJECT` names the subject; with `ROOTFAST_FUZZ_SEEDS` its seeds and words are
/// written to that folder, and nothing is run. At the end what became of the inputs is told in one line.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafePointer<CInt>, _ arguments: UnsafePointer<UnsafePointer<UnsafePointer<CChar>>>
) -> CInt {
    let environment = ProcessInfo.processInfo.environment
    guard let found = FuzzSubject.all.first(where: { $0.name == environment["ROOTFAST_FUZZ_SUBJECT"] }) else {
        end("ROOTFAST_FUZZ_SUBJECT is none of \(FuzzSubject.all.map(\.name).joined(separator: ", "))", status: 64)
    }
    subject = found
    if let folder = environment["ROOTFAST_FUZZ_SEEDS"] {
        do { try writeSeeds(to: folder) } catch { end("\(error)", status: 1) }
        exit(0)
    }
    atexit {
        let counts = reached.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        tell("reached: \(counts.joined(separator: " | "))")
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    do {
        reached[try subject.check(Array(UnsafeBufferPointer(start: start, count: count))), default: 0] += 1
    } catch {
        tell("the law of \(subject.name) is broken: \(error)")
        abort()
    }
    return 0
}

// libFuzzer calls from one thread.
nonisolated(unsafe) private var subject = FuzzSubject.all[0]
nonisolated(unsafe) private var reached: [String: Int] = [:]

/// A file a seed, and a dictionary beside the folder.
private func writeSeeds(to folder: String) throws {
    for (index, seed) in try subject.seeds().enumerated() {
        try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/\(index)"))
    }
    let words = subject.words().map { word in
        "\"" + word.map { "\\x" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "\"\n"
    }
    try Data(words.joined().utf8).write(to: URL(fileURLWithPath: folder + ".words"))
}

private func tell(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

private func end(_ text: String, status: CInt) -> Never {
    tell(text)
    exit(status)
}
