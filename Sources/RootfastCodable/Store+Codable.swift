public import Rootfast

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// Values of any `Codable` type, kept as JSON with sorted keys and no spaces: so they stand in the log as they are (but for a
// string or `null` by itself, which is written as text), for people and `jq` to read. A product of its own, because it needs Foundation and the store does not.

extension Transaction {
    /// Sets the value of a key to the JSON of `value`.
    ///
    /// - Throws: as `put`, and `EncodingError`.
    public func put(_ key: some Bytes, encoding value: some Encodable) throws {
        try put(key, JSON.encode(value))
    }

    /// The value of a key as this transaction sees it, or `nil`.
    ///
    /// - Throws: as `get`, and `DecodingError`.
    public func get<T: Decodable>(_ key: some Bytes, as type: T.Type = T.self) throws -> T? {
        try get(key).map { try JSON.decode(type, from: $0) }
    }
}

extension View {
    /// The value of a key, or `nil`.
    ///
    /// - Throws: `DecodingError`.
    public func get<T: Decodable>(_ key: some Bytes, as type: T.Type = T.self) throws -> T? {
        try get(key).map { try JSON.decode(type, from: $0) }
    }
}

private enum JSON {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    static func decode<T: Decodable>(_ type: T.Type, from bytes: [UInt8]) throws -> T {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
