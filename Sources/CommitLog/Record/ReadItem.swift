import StrictJSON

/// What a voted transaction read, and keeps locked until it is decided: a key, or the keys of a range.
///
/// A list of items is canonical if
/// (1) every `from` is less than its `to`;
/// (2) the items rise strictly by key or `from`;
/// (3) a key is in no range: it is at or beyond the `to` of the range before it and below the `from` of the next;
/// (4) a range begins beyond the `to` of the range before it: neighbouring ranges are one range.
/// So nothing follows a range without an upper end.
package enum ReadItem: Hashable, Sendable {
    case key([UInt8])
    /// Half-open, [from, to). An empty `from` is no lower end, a `to` of `nil` no upper end.
    case range(from: [UInt8], to: [UInt8]?)

    /// Whether no key can be in it.
    package var isEmptyRange: Bool { withParsed { $0.isEmptyRange } }

    /// Whether it may come right after the other in a canonical list.
    package func mayFollow(_ previous: ReadItem) -> Bool {
        withParsed { item in previous.withParsed { item.mayFollow($0) } }
    }

    /// The rules are those of the item when parsed.
    private func withParsed(_ body: (ParsedRead) -> Bool) -> Bool {
        switch self {
        case .key(let key): key.withUnsafeBytes { body(.key($0)) }
        case .range(let from, .none): from.withUnsafeBytes { body(.range(from: $0, to: nil)) }
        case .range(let from, .some(let to)):
            from.withUnsafeBytes { from in to.withUnsafeBytes { body(.range(from: from, to: $0)) } }
        }
    }
}
