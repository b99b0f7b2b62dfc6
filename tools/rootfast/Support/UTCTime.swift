import ArgumentParser
import Glibc

/// A moment, as it is given on the command line and shown: in UTC, without time zones or leap seconds.
struct UTCTime: Hashable {
    /// Since 1970, as in the log.
    let microseconds: UInt64

    init(microseconds: UInt64) { self.microseconds = microseconds }

    /// Reads `2026-11-21T12:00:00Z` or seconds since 1970, either with a fraction. What is finer than a microsecond is cut
    /// off, so that the moment never lies behind the one that was meant.
    init?(_ text: String) {
        var reader = DigitReader(text)
        let seconds = text.contains("T") ? Self.date(&reader) : reader.number()
        guard let seconds, let fraction = reader.fraction() else { return nil }
        if text.contains("T") { guard reader.take("Z") else { return nil } }
        let (whole, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard reader.isAtEnd, !overflows, whole <= UInt64.max - fraction else { return nil }
        microseconds = whole + fraction
    }

    /// The seconds of a date and a time of day; `nil` if the calendar has no such day.
    private static func date(_ reader: inout DigitReader) -> UInt64? {
        guard let year = reader.number(digits: 4), year >= 1970, reader.take("-"),
            let month = reader.number(digits: 2), reader.take("-"), let day = reader.number(digits: 2),
            reader.take("T"), let hour = reader.number(digits: 2), hour < 24, reader.take(":"),
            let minute = reader.number(digits: 2), minute < 60, reader.take(":"),
            let second = reader.number(digits: 2), second < 60
        else { return nil }
        var parts = tm()
        parts.tm_year = Int32(year) - 1900
        parts.tm_mon = Int32(month) - 1
        (parts.tm_mday, parts.tm_hour) = (Int32(day), Int32(hour))
        (parts.tm_min, parts.tm_sec) = (Int32(minute), Int32(second))
        let seconds = timegm(&parts)
        // timegm takes the 31st of a shorter month for a day of the next.
        guard parts.tm_mon == Int32(month) - 1, parts.tm_mday == Int32(day) else { return nil }
        return UInt64(seconds)
    }
}

extension UTCTime: CustomStringConvertible {
    /// To the second.
    var description: String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension UTCTime: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}

/// Reads digits and what stands between them.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { rest = text[...].utf8 }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: mark) else { return false }
        rest.removeFirst()
        return true
    }

    /// A number of exactly so many digits, or of one or more.
    mutating func number(digits count: Int? = nil) -> UInt64? {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty, count == nil || digits.count == count else { return nil }
        rest = rest[digits.endIndex...]
        return UInt64(Substring(digits))
    }

    /// Microseconds behind a point; 0 if there is no point.
    mutating func fraction() -> UInt64? {
        guard take(".") else { return 0 }
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { return nil }
        rest = rest[digits.endIndex...]
        let padded = String(Substring(digits.prefix(6))) + String(repeating: "0", count: max(0, 6 - digits.count))
        return UInt64(padded)
    }
}
