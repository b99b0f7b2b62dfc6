/// Two keys of one object are the same if their decoded bytes are. Never compared as Unicode text.
///
/// Few keys are compared pairwise, many through a Set. Either is linear: pairwise each byte is looked at no more than
/// `pairwiseCountMax` times, and the Set hashes with a seed that no one who writes the text knows.
extension JSONScanner {
    static var pairwiseCountMax: Int { 8 }

    /// Where the second of two same keys stands; `nil` if all differ.
    func offsetOfDuplicate(in range: Range<Int>, _ text: UnsafeRawBufferPointer) -> Int? {
        range.count <= Self.pairwiseCountMax ? pairwise(range, text) : bySet(range, text)
    }

    private func pairwise(_ range: Range<Int>, _ text: UnsafeRawBufferPointer) -> Int? {
        for later in range {
            for earlier in range.lowerBound..<later where keys[earlier].count == keys[later].count {
                if bytes(of: keys[earlier], in: text).hasSameBytes(as: bytes(of: keys[later], in: text)) {
                    return keys[later].textOffset
                }
            }
        }
        return nil
    }

    private func bySet(_ range: Range<Int>, _ text: UnsafeRawBufferPointer) -> Int? {
        var seen = Set<KeyBytes>(minimumCapacity: range.count)
        for index in range where !seen.insert(KeyBytes(bytes: bytes(of: keys[index], in: text))).inserted {
            return keys[index].textOffset
        }
        return nil
    }
}

/// The decoded bytes of a key, wherever they are.
private struct KeyBytes: Hashable {
    var bytes: UnsafeRawBufferPointer

    static func == (a: KeyBytes, b: KeyBytes) -> Bool { a.bytes.hasSameBytes(as: b.bytes) }

    func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
}
