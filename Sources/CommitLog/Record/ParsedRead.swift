import StrictJSON

/// One item of a parsed `reads`; the bytes are valid as long as those of a `ParsedChange`.
package enum ParsedRead {
    case key(UnsafeRawBufferPointer)
    /// Half-open. An empty `from` is no lower end, a `to` of `nil` no upper end.
    case range(from: UnsafeRawBufferPointer, to: UnsafeRawBufferPointer?)

    /// A copy that outlives the line.
    package var copy: ReadItem {
        switch self {
        case .key(let key): .key(Array(key))
        case .range(let from, let to): .range(from: Array(from), to: to.map { Array($0) })
        }
    }

    /// Rule (1) of `ReadItem`.
    var isEmptyRange: Bool {
        guard case .range(let from, .some(let to)) = self else { return false }
        return !from.precedes(to)
    }

    /// Rules (2) to (4) of `ReadItem`, for an item and the one right before it.
    func mayFollow(_ previous: ParsedRead) -> Bool {
        switch (previous, self) {
        case (.key(let earlier), .key(let later)), (.key(let earlier), .range(let later, _)): earlier.precedes(later)
        case (.range(_, .none), _): false
        case (.range(_, .some(let end)), .key(let key)): !key.precedes(end)
        case (.range(_, .some(let end)), .range(let from, _)): end.precedes(from)
        }
    }
}
