import Hashing
import StrictJSON

/// A place in a line, and the tokens of the canonical form: each is passed, or the error says what is wrong with it.
///
/// ```
/// integer   = "0" / digit1-9 *digit                   less than 2^63
/// timestamp = integer "." 6digit                      seconds; less than 2^53 microseconds
/// digest    = 64 lower-case hexadecimal digits        crc = 8 of them
/// string    = '"' *( plain / '\"' / '\\' / '\u00' ( "0" / "1" ) lowerhex ) '"'
/// ```
/// The line is known to be UTF-8. No read goes outside it.
struct LineCursor {
    let line: UnsafeRawBufferPointer
    var offset = 0

    init(_ line: UnsafeRawBufferPointer) { self.line = line }

    /// The byte here; 0, which no token begins with, at the end.
    var byte: UInt8 {
        @inline(__always) get { offset < line.count ? line[offset] : 0 }
    }

    func error(_ reason: RecordError.Reason) -> RecordError { RecordError(offset: offset, reason: reason) }

    // MARK: Fixed text

    /// Passes the text if it stands here; says whether it did.
    @inline(__always)
    mutating func passes(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard line.count &- offset >= count else { return false }
        let here = UnsafeRawBufferPointer(rebasing: line[offset..<offset &+ count])
        guard here.hasSameBytes(as: UnsafeRawBufferPointer(start: text.utf8Start, count: count)) else { return false }
        offset &+= count
        return true
    }

    /// Passes the byte if it stands here; says whether it did.
    @inline(__always)
    mutating func passes(_ byte: UInt8) -> Bool {
        guard self.byte == byte else { return false }
        offset &+= 1
        return true
    }

    @inline(__always)
    mutating func pass(_ byte: UInt8) throws(RecordError) {
        guard passes(byte) else { throw error(.expected(String(UnicodeScalar(byte)))) }
    }

    @inline(__always)
    mutating func pass(_ text: StaticString) throws(RecordError) {
        guard passes(text) else { throw error(.expected("\(text)")) }
    }

    func requireEnd() throws(RecordError) {
        guard offset == line.count else { throw error(.trailingBytes) }
    }

    // MARK: Numbers

    mutating func integer() throws(RecordError) -> UInt64 {
        let start = offset
        var number: UInt64 = 0
        while byte &- UInt8(ascii: "0") <= 9 {
            // With at most a tenth of the end before, ten times as much and a digit more stays far below 2^64.
            let isTooLarge = number > RecordLimits.integerEnd / 10
            number = number &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            guard !isTooLarge && number < RecordLimits.integerEnd else {
                throw RecordError(offset: start, reason: .integerTooLarge)
            }
            offset &+= 1
        }
        guard offset > start, line[start] != UInt8(ascii: "0") || offset == start + 1 else {
            throw RecordError(offset: start, reason: .malformedInteger)
        }
        return number
    }

    mutating func timestamp() throws(RecordError) -> UInt64 {
        let start = offset
        let malformed = RecordError(offset: start, reason: .malformedTimestamp)
        let seconds: UInt64
        do throws(RecordError) { seconds = try integer() } catch { throw malformed }
        guard seconds <= RecordLimits.timestampEnd / 1_000_000, passes(UInt8(ascii: ".")) else { throw malformed }
        var microseconds = seconds
        for _ in 0..<6 {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { throw malformed }
            microseconds = microseconds &* 10 &+ UInt64(digit)
            offset &+= 1
        }
        guard microseconds < RecordLimits.timestampEnd, byte &- UInt8(ascii: "0") > 9 else { throw malformed }
        return microseconds
    }

    mutating func digest() throws(RecordError) -> Digest {
        var digest = Digest()
        guard let first = hexWord(at: 0), let second = hexWord(at: 16), let third = hexWord(at: 32),
            let fourth = hexWord(at: 48)
        else { throw error(.malformedDigest) }
        digest.words = (first, second, third, fourth)
        offset &+= 64
        return digest
    }

    mutating func crc() throws(RecordError) -> UInt32 {
        guard line.count &- offset >= 8, let base = line.baseAddress,
            let crc = Word.bytes(ofHexDigits: Word.load(base, at: offset))
        else { throw error(.malformedCRC) }
        offset &+= 8
        return UInt32(bigEndian: crc.littleEndian)
    }

    /// Eight bytes in memory order, of the sixteen digits so far from here.
    private func hexWord(at distance: Int) -> UInt64? {
        let start = offset &+ distance
        guard line.count &- start >= 16, let base = line.baseAddress,
            let low = Word.bytes(ofHexDigits: Word.load(base, at: start)),
            let high = Word.bytes(ofHexDigits: Word.load(base, at: start &+ 8))
        else { return nil }
        return (UInt64(low) | UInt64(high) &<< 32).littleEndian
    }

    // MARK: Strings

    /// What a string stands for: bytes of the line, or of the scratch memory where the string has escapes.
    mutating func string(_ scratch: inout ScratchMemory) throws(RecordError) -> UnsafeRawBufferPointer {
        try pass(UInt8(ascii: "\""))
        let start = offset
        let end = JSONString.plainEnd(in: line, from: start)
        if end < line.count && line[end] == UInt8(ascii: "\"") {
            offset = end &+ 1
            return UnsafeRawBufferPointer(rebasing: line[start..<end])
        }
        offset = end
        try passEscapedRest()
        let content = UnsafeRawBufferPointer(rebasing: line[start..<offset &- 1])
        let count = JSONString.decode(content, to: scratch.room(for: content.count))
        return scratch.keep(count)
    }

    /// From the first byte of a string that is not plain to behind its closing quote.
    private mutating func passEscapedRest() throws(RecordError) {
        while true {
            guard offset < line.count else { throw error(.unterminatedString) }
            switch line[offset] {
            case UInt8(ascii: "\""):
                offset &+= 1
                return
            case UInt8(ascii: "\\"): try passEscape()
            default: throw error(.controlCharacter)
            }
            offset = JSONString.plainEnd(in: line, from: offset)
        }
    }

    private mutating func passEscape() throws(RecordError) {
        let next = offset &+ 1 < line.count ? line[offset &+ 1] : 0
        if next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") {
            offset &+= 2
            return
        }
        let start = offset
        guard passes("\\u00"), line.count &- offset >= 2, line[offset] | 1 == UInt8(ascii: "1"),
            HexDigit.value(of: line[offset &+ 1]) != nil
        else { throw RecordError(offset: start, reason: .otherEscape) }
        offset &+= 2
    }
}
