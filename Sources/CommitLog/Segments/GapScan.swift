import Hashing
import StrictJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Looks behind a gap for proof that what is missing had been durable.
///
/// A gap is a torn tail, unless a later flush of valid crc says by its `synced` that the first missing record was
/// durable when it was written. Where a flush begins behind a gap is not known: every `{"op":"` may be its first
/// line. The crc of any stretch follows from the running crc at its two ends, so each candidate costs O(log length)
/// and the scan is linear, and bounded in memory by one line.
package struct GapScan: ~Copyable {
    /// A flush behind the gap.
    package struct LaterFlush: Sendable {
        package let offset: Int
        package let synced: UInt64
    }

    package struct Result: Sendable {
        /// The first flush that proves the gap to be damage.
        package var proof: LaterFlush?
        /// Behind the last byte that is not zero.
        package var end: Int
    }

    private static let lineStart = Array("{\"op\":\"".utf8)
    /// So many of either kind, of which the oldest are forgotten: a flush has fewer lines.
    private static let startCountMax = 1 << 20
    private static let candidateCountMax = 1 << 17

    private let window: FileWindow
    private let firstMissing: UInt64
    private var parser = RecordParser()
    private var crc: UInt32 = 0
    private var crcOffset: Int
    /// Where a flush may begin: at the start of a line or behind zeros, where most do, and within a line. What a value holds
    /// must not crowd out the former.
    private var atStarts: [Candidate] = []
    private var withinLines: [Candidate] = []

    private typealias Candidate = (offset: Int, crc: UInt32)
    private var end: Int

    /// Scans a segment from a gap at `offset` on; `firstMissing` is the `n` that was due there.
    package static func run(_ file: any DiskFile, from offset: Int, firstMissing: UInt64) throws(DiskError) -> Result {
        var scan = GapScan(file, offset, firstMissing)
        return try scan.run()
    }

    private init(_ file: any DiskFile, _ offset: Int, _ firstMissing: UInt64) {
        window = FileWindow(file, from: offset)
        self.firstMissing = firstMissing
        crcOffset = offset
        end = offset
    }

    private mutating func run() throws(DiskError) -> Result {
        var proof: LaterFlush?
        while let line = try nextLine() {
            noteCandidates(in: line)
            if proof == nil, let later = laterFlush(endingWith: line) { proof = later }
            advanceCRC(to: min(line.upperBound + 1, window.end))
            window.pass(to: crcOffset)
        }
        return Result(proof: proof, end: end)
    }

    /// The next stretch that ends at a newline, at the end of the file, or where a line would be too long.
    private mutating func nextLine() throws(DiskError) -> Range<Int>? {
        try skipZeros()
        let start = window.start
        var searched = start
        while true {
            let rest = window.bytes(searched..<window.end)
            if let base = rest.baseAddress, let found = memchr(base, 0x0a, rest.count) {
                let newline = searched + (UnsafeRawPointer(found) - base)
                end = newline + 1
                return start..<newline
            }
            if window.isAtEnd || window.count > RecordLimits.lineBytesMax {
                if !window.isAtEnd { forgetCandidates() }
                if window.count > 0, let last = window.bytes.lastIndex(where: { $0 != 0 }) { end = start + last + 1 }
                return window.count > 0 ? start..<window.end : nil
            }
            searched = window.end
            try window.readMore()
        }
    }

    private mutating func skipZeros() throws(DiskError) {
        while true {
            let zeros = window.bytes.leadingZeroCount
            advanceCRC(to: window.start + zeros)
            window.pass(to: window.start + zeros)
            if window.count > 0 || window.isAtEnd { return }
            try window.readMore()
        }
    }

    private mutating func noteCandidates(in line: Range<Int>) {
        var searched = line.lowerBound
        while searched < line.upperBound {
            let rest = window.bytes(searched..<line.upperBound)
            guard let base = rest.baseAddress, let brace = memchr(base, 0x7b, rest.count) else { return }
            let offset = searched + (UnsafeRawPointer(brace) - base)
            searched = offset + 1
            guard window.bytes(offset..<line.upperBound).starts(with: Self.lineStart) else { continue }
            advanceCRC(to: offset)
            guard offset > line.lowerBound else {
                if atStarts.count == Self.startCountMax { atStarts.removeFirst(Self.startCountMax / 2) }
                atStarts.append((offset, crc))
                continue
            }
            if withinLines.count == Self.candidateCountMax { withinLines.removeFirst(Self.candidateCountMax / 2) }
            withinLines.append((offset, crc))
        }
    }

    private mutating func forgetCandidates() {
        atStarts.removeAll(keepingCapacity: true)
        withinLines.removeAll(keepingCapacity: true)
    }

    private mutating func laterFlush(endingWith line: Range<Int>) -> LaterFlush? {
        guard let suffix = RecordParser.flushEndSuffix(of: window.bytes(line)) else { return nil }
        let covered = line.lowerBound + suffix.crcOffset
        guard crcOffset <= covered else { return nil }
        advanceCRC(to: covered)
        defer { forgetCandidates() }
        for candidate in [atStarts, withinLines].joined()
        where crc ^ CRC32C.shift(candidate.crc, by: covered - candidate.offset) == suffix.crc {
            let lastLine = max(candidate.offset, line.lowerBound)..<line.upperBound
            if let synced = synced(in: lastLine), synced >= firstMissing {
                return LaterFlush(offset: candidate.offset, synced: synced)
            }
        }
        return nil
    }

    private mutating func synced(in line: Range<Int>) -> UInt64? {
        let content = ParsedFlush()
        guard (try? parser.parse(window.bytes(line), into: content)) != nil else { return nil }
        return content.records.last?.flushEnd?.synced
    }

    private mutating func advanceCRC(to offset: Int) {
        crc = CRC32C.checksum(window.bytes(crcOffset..<offset), continuing: crc)
        crcOffset = offset
    }
}
