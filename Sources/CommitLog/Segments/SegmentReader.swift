import Hashing
import StrictJSON

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Reads the flushes of one segment in order, and believes none that it has not verified.
///
/// A flush is valid if (1) its lines run without a gap from the end of the flush before to a line with a flush end;
/// (2) its crc holds; (3) its chain follows from the chain before. A flush for which one of these fails is a *gap*:
/// it may never have been written whole. A valid flush is *sound* if (4) every line is the canonical form of a record;
/// (5) `n`, `seq`, timestamps and `synced` follow from what came before. One that is valid and not sound was written
/// so, and is damage. What the records mean together, and the root, is for whoever applies them.
package final class SegmentReader {
    /// A flush, its records in `records` until the next call of `next`.
    package struct Flush {
        package let offset: Int
        package let byteCount: Int
        package let firstN: UInt64
        package let end: FlushEnd
        /// Where the log stands after it.
        package let tip: LogTip
        package let records: ParsedFlush
    }

    package enum Step {
        case flush(Flush)
        /// Nothing but zeros, if anything, from `offset` to the end of the file.
        case end(offset: Int)
        /// No valid flush begins at `offset`, and there is something.
        case gap(Gap)
        /// A valid flush that is not sound.
        case unsound(offset: Int, reason: String)
    }

    package struct Gap: Sendable {
        package let offset: Int
        package let reason: String
    }

    /// No flush is longer, as the writer ends one before.
    package static let flushBytesMax = 2 * RecordLimits.lineBytesMax

    /// Where the log stands after the last flush that was read.
    package private(set) var tip: LogTip
    private let window: FileWindow
    private var parser = RecordParser()
    private let content = ParsedFlush()

    /// Begins at `tip.offset`. `tip` is what the segment's header says, or where an earlier reader stood.
    package init(_ file: any DiskFile, from tip: LogTip) {
        self.tip = tip
        window = FileWindow(file, from: tip.offset)
    }

    package func next() throws(DiskError) -> Step { try next(into: content) }

    /// The same, with the records in `content`, which keeps all that they point to.
    func next(into content: ParsedFlush) throws(DiskError) -> Step {
        let start = tip.offset
        content.removeAll()
        window.pass(to: start)
        var lines: [Range<Int>] = []
        var lineStart = start
        while true {
            guard let lineEnd = try endOfLine(from: lineStart) else {
                return try stepWithoutLine(at: lineStart, flushStart: start)
            }
            lines.append(lineStart..<lineEnd)
            let line = window.bytes(lineStart..<lineEnd)
            if let suffix = RecordParser.flushEndSuffix(of: line) {
                return verify(lines, suffix, into: content)
            }
            lineStart = lineEnd + 1
        }
    }

    /// The file offset of the newline that ends the line at `start`; `nil` if there is none within the limits.
    private func endOfLine(from start: Int) throws(DiskError) -> Int? {
        var searched = start
        while true {
            let rest = window.bytes(searched..<window.end)
            if let base = rest.baseAddress, let found = memchr(base, 0x0a, rest.count) {
                let end = searched + (UnsafeRawPointer(found) - base)
                return end - start <= RecordLimits.lineBytesMax ? end : nil
            }
            // A NUL is in no line: the zeros ahead of the log need not be read to find that out.
            if rest.first == 0 || window.end - start > RecordLimits.lineBytesMax || window.isAtEnd { return nil }
            if window.end - tip.offset > Self.flushBytesMax { return nil }
            searched = window.end
            try window.readMore()
        }
    }

    private func stepWithoutLine(at lineStart: Int, flushStart: Int) throws(DiskError) -> Step {
        if lineStart == flushStart {
            if try onlyZeros(from: flushStart) { return .end(offset: flushStart) }
        }
        return .gap(Gap(offset: flushStart, reason: "the flush that begins here has no end"))
    }

    private func onlyZeros(from offset: Int) throws(DiskError) -> Bool {
        var checked = offset
        while true {
            let rest = window.bytes(checked..<window.end)
            guard rest.leadingZeroCount == rest.count else { return false }
            checked = window.end
            if window.isAtEnd { return true }
            window.pass(to: checked)
            try window.readMore()
        }
    }

    // MARK: Verification

    private func verify(_ lines: [Range<Int>], _ suffix: FlushEndSuffix, into content: ParsedFlush) -> Step {
        let start = tip.offset
        let last = lines[lines.count - 1]
        let covered = window.bytes(start..<(last.lowerBound + suffix.crcOffset))
        guard CRC32C.checksum(covered) == suffix.crc else {
            return .gap(Gap(offset: start, reason: "the crc does not match"))
        }
        let chained = window.bytes(start..<(last.lowerBound + suffix.chainOffset))
        guard LogTip.chain(tip.chain, chained) == suffix.chain else {
            return .gap(Gap(offset: start, reason: "the chain does not follow from the flush before"))
        }
        let bytes = content.keep(window.bytes(start..<last.upperBound))
        for line in lines {
            do throws(RecordError) {
                let line = bytes[(line.lowerBound - start)..<(line.upperBound - start)]
                try parser.parse(UnsafeRawBufferPointer(rebasing: line), into: content)
            } catch {
                return .unsound(offset: line.lowerBound + error.offset, reason: "\(error.reason)")
            }
        }
        guard let end = content.records.last?.flushEnd else {
            return .unsound(offset: start, reason: "the last record has no flush end")
        }
        var check = FlushCheck(after: tip)
        if let reason = check.fault(in: content, end: end) { return .unsound(offset: start, reason: reason) }
        let firstN = tip.n + 1
        tip = check.tip
        tip.offset = last.upperBound + 1
        return .flush(
            Flush(
                offset: start, byteCount: tip.offset - start, firstN: firstN, end: end, tip: tip, records: content))
    }
}

/// Condition (5) of a sound flush.
struct FlushCheck {
    private(set) var tip: LogTip
    private let before: LogTip

    init(after tip: LogTip) {
        self.tip = tip
        before = tip
    }

    mutating func fault(in flush: ParsedFlush, end: FlushEnd) -> String? {
        for (i, record) in flush.records.enumerated() {
            if record.flushEnd != nil, i != flush.records.count - 1 { return "a flush end in the middle of a flush" }
            if let fault = fault(in: record) { return fault }
        }
        guard end.synced >= before.synced, end.synced <= before.n else {
            return "synced is \(end.synced), which is not from \(before.synced) to \(before.n)"
        }
        tip.root = end.root
        tip.chain = end.chain
        tip.synced = end.synced
        return nil
    }

    private mutating func fault(in record: ParsedRecord) -> String? {
        tip.n += 1
        guard record.n == tip.n else { return "n is \(record.n), and \(tip.n) was due" }
        guard record.timestamp >= tip.timestamp else { return "the timestamp goes back" }
        tip.timestamp = record.timestamp
        if record.op == .commit {
            tip.seq += 1
            guard record.seq == tip.seq else { return "seq is \(record.seq), and \(tip.seq) was due" }
        }
        return nil
    }
}
