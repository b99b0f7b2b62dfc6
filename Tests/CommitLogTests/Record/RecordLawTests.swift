import CommitLog
import StrictJSON
import Testing

/// Laws of the record grammar, over random records biased to what is easily got wrong. A failure names its seed.
@Suite struct RecordLawTests {
    /// 8 seeds of 3,000 records: some 100,000 keys and values.
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `bytes become a line and come back the same`(seed: UInt64) throws {
        var random = TrickyGenerator(seed: seed)
        let flush = ParsedFlush()
        var parser = RecordParser()
        for round in 0..<3_000 {
            let record = random.record()
            let line = try record.line
            try line.withUnsafeBytes { try parser.parse($0, into: flush) }
            let parsed = line.withUnsafeBytes { _ in RecordSample(flush.records[0], in: flush) }
            if parsed != record { Issue.record("seed \(seed), round \(round): \(text(line))") }
            flush.removeAll()
        }
    }

    /// Many lines share one `ParsedFlush`, whose scratch memory must not move under what points to it.
    @Test(arguments: 11...13 as ClosedRange<UInt64>)
    func `what was parsed stays where it is until all is removed`(seed: UInt64) throws {
        var random = TrickyGenerator(seed: seed)
        let flush = ParsedFlush()
        var parser = RecordParser()
        for _ in 0..<5 {
            let records = (0..<200).map { _ in random.record() }
            let long = RecordSample(changes: [Change(key: [0xFF], value: Array(repeating: 0x22, count: 200_000))])
            let lines = try (records + [long] + records).map { try $0.line }
            let memory = lines.map { line in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: line.count, alignment: 1)
                copy.copyBytes(from: line)
                return copy
            }
            defer { memory.forEach { $0.deallocate() } }
            for line in memory { try parser.parse(UnsafeRawBufferPointer(line), into: flush) }
            #expect(flush.records.map { RecordSample($0, in: flush) } == records + [long] + records)
            flush.removeAll()
        }
    }

    /// So what is accepted is canonical: nothing that says the same in another way gets through.
    @Test(arguments: 21...24 as ClosedRange<UInt64>)
    func `a damaged line is refused, or is the one line of what it says`(seed: UInt64) throws {
        var random = TrickyGenerator(seed: seed)
        var acceptedCount = 0
        for round in 0..<6_000 {
            let damaged = random.damaged(try random.record().line)
            acceptedCount += expectCanonicalOrRefused(damaged, "seed \(seed), round \(round)") ? 1 : 0
        }
        #expect(acceptedCount > 300)
    }

    private static let samples = [
        #"{"op":"COMMIT","n":12,"tx_id":"t\"9","timestamp":10.000456,"resolved":true,"seq":9\#(FlushEnd.sampleText)}"#,
        #"{"op":"ABORT","n":0,"tx_id":"é","timestamp":0.000001,"reason":"a\u000a\\😀"}"#,
        #"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"data":{"$JA==":{"$base64":"/wA="},"a":[1.5e3,"\ud83d\ude00"],"b":null}}"#,
        #"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"voted":true,"data":{},"reads":["a",["b","d"],"d",["$/w==",null]]}"#,
        #"{"op":"PREPARE","n":1,"tx_id":"t","timestamp":1.000000,"data":{"a":"null","b":"{\"$base64\":\"AA==\"}","c":true,"d":"-"}}"#,
    ]

    @Test(arguments: samples)
    func `every single-byte change, deletion and insertion is refused, or is another canonical line`(sample: String) {
        let line = bytes(sample)
        #expect(expectCanonicalOrRefused(line, "the sample itself"))
        for position in line.indices {
            var other = line
            other.remove(at: position)
            _ = expectCanonicalOrRefused(other, "without byte \(position)")
            other = line
            for byte in UInt8.min...UInt8.max {
                other[position] = byte
                _ = expectCanonicalOrRefused(other, "byte \(position) as \(byte)")
            }
            other.insert(0, at: position)
            other[position + 1] = line[position]
            for byte in bytes("\"\\,:{}[]0 anu$=\0\u{1f}é") {
                other[position] = byte
                _ = expectCanonicalOrRefused(other, "\(byte) before byte \(position)")
            }
        }
    }

    @Test(arguments: samples)
    func `every proper beginning of a line is refused`(sample: String) {
        let line = bytes(sample)
        for count in 0..<line.count { #expect(refusal(Array(line[..<count])) != nil, "\(count) bytes") }
    }

    @Test func `a line is parsed within its own bytes`() throws {
        // The line ends where the memory does: what follows would be seen by the address sanitizer.
        var random = TrickyGenerator(seed: 31)
        for _ in 0..<2_000 {
            let line = try random.record().line
            let count = Int.random(in: 0...line.count, using: &random)
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
            memory.copyBytes(from: line[..<count])
            defer { memory.deallocate() }
            var parser = RecordParser()
            let flush = ParsedFlush()
            let isWhole = (try? parser.parse(UnsafeRawBufferPointer(memory), into: flush)) != nil
            #expect(isWhole == (count == line.count))
        }
    }

    /// Whether the line was accepted; if so, its own encoding must be the line.
    private func expectCanonicalOrRefused(_ line: [UInt8], _ what: @autoclosure () -> String) -> Bool {
        guard let record = try? RecordSample(line: line) else { return false }
        if (try? record.line) != line { Issue.record("accepted, but not canonical, \(what()): \(text(line))") }
        return true
    }
}
