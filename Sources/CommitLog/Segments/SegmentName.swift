/// Where things lie in a store's folder.
package enum LogNames {
    package static let folder = "log"
    /// A segment being prepared, before it takes its own name.
    package static let nextSegment = "log/next"
    package static let manifest = "store.json"
    static let manifestDraft = "store.json.new"

    /// The file of a segment: `log/0000000007.jsonl`.
    package static func segment(_ number: UInt64) -> String { "\(folder)/\(fileName(number))" }

    /// The number of a segment's file name (without its folder), from 1; `nil` for any other name.
    package static func segmentNumber(_ fileName: String) -> UInt64? {
        guard fileName.hasSuffix(".jsonl"), let number = UInt64(fileName.dropLast(6)), number > 0,
            Self.fileName(number) == fileName
        else { return nil }
        return number
    }

    /// The copy of a torn tail that was dropped, named by where it stood and what it holds.
    package static func setAside(segment: UInt64, offset: Int, crc: UInt32) -> String {
        "\(folder)/\(padded(segment)).\(offset).\(String(crc, radix: 16)).torn"
    }

    private static func fileName(_ number: UInt64) -> String { padded(number) + ".jsonl" }

    private static func padded(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    }
}
