package import Rootfast

/// One thing that a transaction does. Its answer is the entries that it saw.
package enum Operation: Hashable, Sendable {
    case get([UInt8])
    case scan(ScanRange)
    case put([UInt8], [UInt8])
    case delete([UInt8])

    package var isRead: Bool {
        switch self {
        case .get, .scan: true
        case .put, .delete: false
        }
    }
}

extension Operation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .get(let key): "get \(key.text)"
        case .put(let key, let value): "put \(key.text) = \(value.text)"
        case .delete(let key): "delete \(key.text)"
        case .scan(let range):
            "scan \((range.from ?? []).text) ..< \((range.to ?? []).text)"
                + (range.isReversed ? " reversed" : "") + (range.limit.map { " limit \($0)" } ?? "")
        }
    }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}

extension Transaction {
    package func perform(_ operation: Operation) throws -> [Entry] {
        switch operation {
        case .get(let key): return try get(key).map { [Entry(key: key, value: $0)] } ?? []
        case .scan(let range): return try entries(range)
        case .put(let key, let value): try put(key, value)
        case .delete(let key): try delete(key)
        }
        return []
    }
}

extension View {
    /// Requires that it is a read.
    package func perform(_ operation: Operation) throws -> [Entry] {
        switch operation {
        case .get(let key): return try get(key).map { [Entry(key: key, value: $0)] } ?? []
        case .scan(let range): return try entries(range)
        case .put, .delete: preconditionFailure("a view changes nothing")
        }
    }
}
