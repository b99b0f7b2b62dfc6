import StrictJSON

/// The uuid of a store: 16 bytes, spelled in canonical lower case, 8-4-4-4-12.
package struct StoreID: Hashable, Sendable {
    /// The 16 bytes, big-endian, as they are spelled.
    package let high: UInt64
    package let low: UInt64

    /// How many characters the spelling has.
    package static let textCount = 36

    /// Reads exactly 16 bytes; `nil` for any other length.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Reads the canonical spelling; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        self.init(text: Array(text.utf8))
    }

    /// Reads the canonical spelling as UTF-8; `nil` for anything else.
    package init?(text: [UInt8]) {
        guard text.count == Self.textCount else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for (index, character) in text.enumerated() {
            if Self.isHyphen(at: index) {
                guard character == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let nibble = HexDigit.value(of: character) else { return nil }
            words = (words.0 << 4 | words.1 >> 60, words.1 << 4 | UInt64(nibble))
        }
        (high, low) = words
    }

    /// The 16 bytes as they enter the first chain value.
    package var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - UInt64($0 % 8) * 8)) }
    }

    private static func isHyphen(at index: Int) -> Bool {
        index == 8 || index == 13 || index == 18 || index == 23
    }
}

extension StoreID: CustomStringConvertible {
    package var description: String {
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(HexDigit.character(of: byte >> 4))
            text.append(HexDigit.character(of: byte & 15))
        }
        return String(decoding: text, as: UTF8.self)
    }
}
