import Hashing
import StateTree

/// A tree of a few pages, as a snapshot keeps it. Keys and values are short, so that its pages are.
struct PageSample {
    let stored: StoredTree
    let pages: FuzzedPages
    let entries: [(key: [UInt8], value: [UInt8])]
    /// To every page: its slot and its id.
    let references: [[UInt8]]

    static let shared = PageSample()

    private init() {
        entries = (0..<150).map { number in
            let value = Array(repeating: UInt8(number), count: number % 50 == 7 ? 800 : number % 3)
            return (Array(String(number, radix: 36).utf8), value)
        }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        let tree = Tree(kernel: .scalar, store: FuzzedPages([], []))
        for (key, value) in entries { key.withUnsafeBytes { key in value.withUnsafeBytes { try! tree.put(key, $0) } } }
        let unstored = tree.unstoredPages(of: tree.freeze(hashing: true), after: (0, 0))
        guard unstored.collect() else { fatalError("nothing stops it") }
        stored = unstored.stored
        pages = FuzzedPages(
            (0..<unstored.pageCount).map { unstored.page($0).bytes },
            (0..<unstored.longValueCount).map { Array(unstored.longValue($0).bytes) })
        unstored.giveUp()
        let root = withUnsafeBytes(of: stored.rootSlot.littleEndian) { Array($0) }
        references =
            pages.pages.flatMap { page in Self.references(in: Array(page.dropLast(4))).map { Array(page[$0]) } }
            + [root + withUnsafeBytes(of: stored.rootPage.littleEndian) { Array($0) }]
    }

    /// Where a page but for its crc has the slots and ids of its children (see `StoredPage`), whatever it is.
    static func references(in page: [UInt8]) -> [Range<Int>] {
        func number(at offset: Int) -> Int {
            offset + 1 < page.count ? Int(page[offset]) | Int(page[offset + 1]) << 8 : 0
        }
        var references: [Range<Int>] = []
        var offset = 4 + 2 * max(0, number(at: 2) - 1)
        while offset + 16 <= page.count {
            let (keyCount, valueCount) = (number(at: offset), number(at: offset + 2))
            if keyCount == 0 { references.append(offset + 4..<offset + 16) }
            offset += 4 + (keyCount == 0 ? 44 : keyCount + (valueCount == 0xffff ? 48 : valueCount))
        }
        return references
    }
}

/// Pages and long values in memory, numbered from 1.
final class FuzzedPages: PageStore {
    let pages: [[UInt8]]
    let values: [[UInt8]]

    init(_ pages: [[UInt8]], _ values: [[UInt8]]) { (self.pages, self.values) = (pages, values) }

    /// The same with other bytes for one of the pages.
    func with(_ page: [UInt8], at index: Int) -> FuzzedPages {
        var pages = pages
        pages[index] = page
        return FuzzedPages(pages, values)
    }

    func page(_ id: UInt64) throws(PageError) -> [UInt8] {
        guard id > 0, id <= pages.count else { throw PageError(.damaged, .page, id, "it is missing") }
        return pages[Int(id) - 1]
    }

    func longValue(_ id: UInt64) throws(PageError) -> [UInt8] {
        guard id > 0, id <= values.count else { throw PageError(.damaged, .longValue, id, "it is missing") }
        return values[Int(id) - 1]
    }
}
