/// A case as a line of text that replays it: `choices 3 0 17` or `seed 12345`.
///
/// Choices replay the case as long as the law's generators stay as they are; past their end all are 0, so trailing
/// zeros are left out.
enum SavedCase: Hashable, CustomStringConvertible {
    case choices([UInt64])
    case seed(UInt64)

    init?(_ text: some StringProtocol) {
        let words = text.split(separator: " ")
        let numbers = words.dropFirst().compactMap { UInt64($0) }
        guard let kind = words.first, numbers.count == words.count - 1 else { return nil }
        switch (kind, numbers.count) {
        case ("choices", _): self = .choices(numbers)
        case ("seed", 1): self = .seed(numbers[0])
        default: return nil
        }
    }

    var description: String {
        switch self {
        case .choices(let values):
            let end = values.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
            return (["choices"] + values[..<end].map(String.init)).joined(separator: " ")
        case .seed(let seed): return "seed \(seed)"
        }
    }

    var fresh: Choices {
        switch self {
        case .choices(let values): Choices(replaying: values)
        case .seed(let seed): Choices(seed: seed)
        }
    }
}
