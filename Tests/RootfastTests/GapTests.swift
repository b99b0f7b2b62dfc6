import CommitLog
import Rootfast
import SpecSupport
import Testing

/// What is behind a gap in the log, where a later flush is hard to see.
@Suite struct GapTests {
    /// A flush whose values held more of `{"op":"` than are looked at crowded out its own beginning: the damaged flush before
    /// it, which it proves to have been durable, was taken for a torn tail, and both were dropped.
    @Test func `a flush of values that look like flushes still proves what was durable`() throws {
        let disk = SimulatedDisk()
        let store = try Store.simulated(disk, creating: true)
        let first = disk.files[LogNames.segment(1)]!.lastIndex { $0 != 0 }! + 1
        try store.write { try $0.put("a", "1") }
        // Raw JSON stands in the log as it is: here a patch of 150,000 operations.
        let patch = "[" + Array(repeating: #"{"op":"add","path":"/a"}"#, count: 150_000).joined(separator: ",") + "]"
        try store.write { try $0.put("patch", patch) }
        let image = disk.changing(LogNames.segment(1)) { $0[first + 20] ^= 1 }
        let report = try Store.checking(image)
        #expect(report.verdict == .damaged)
        #expect(report.damage?.place == .init(file: LogNames.segment(1), offset: first, sequence: 0))
        expectError(.corrupt) { _ = try Store.simulated(image) }
    }
}
