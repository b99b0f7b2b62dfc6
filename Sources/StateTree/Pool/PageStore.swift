/// Where the pages and long values of a tree are kept that need not be in memory.
///
/// What it gives is believed only once it is verified against the hashes that lead to it. Called from any thread.
public protocol PageStore: AnyObject, Sendable {
    /// The stored form of a page (see `StoredPage`).
    func page(_ id: UInt64) throws(PageError) -> [UInt8]
    /// The bytes of a long value.
    func longValue(_ id: UInt64) throws(PageError) -> [UInt8]
    /// What is behind an error that was made of something this gave, or did not give.
    func cause(of error: PageError) -> PageError
}

extension PageStore {
    public func cause(of error: PageError) -> PageError { error }
}

/// The numbers of a snapshot's pages and long values, and of what else it counts.
package enum StoreNumbers {
    /// They begin at 1 and are less than this: no store comes near, and what is counted on from one fits 63 bits.
    package static let end: UInt64 = 1 << 62
}

/// Why a page or a long value that is not in memory cannot be read.
public struct PageError: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The store could not read it; `code` is the store's own.
        case unreadable(code: Int32)
        /// It is missing, or not what it was.
        case damaged
        /// The store has been changed by another since it was opened.
        case outdated
    }
    public enum Item: Hashable, Sendable { case page, longValue }

    public var kind: Kind
    public var item: Item
    /// Its number in the store.
    public var id: UInt64
    public var reason: String

    public init(_ kind: Kind, _ item: Item, _ id: UInt64, _ reason: String) {
        self.kind = kind
        self.item = item
        self.id = id
        self.reason = reason
    }
}
