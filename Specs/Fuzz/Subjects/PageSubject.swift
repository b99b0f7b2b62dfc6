import Hashing
import SpecSupport
import StateTree

extension FuzzSubject {
    /// A page of the tree: what is laid out is stored again as it was, and a tree with that page in place of an honest one
    /// answers as it should or refuses, in whatever order it is read.
    ///
    /// `which page, in which order` (1 byte), `a reference and what it leads to` (1 byte, 0 for as it is), then the page but
    /// for its crc, which is put behind it.
    static let page = FuzzSubject(name: "page", seeds: PageLaw.seeds, words: { [] }, check: PageLaw.check)
}

enum PageLaw {
    @Sendable static func check(_ input: [UInt8]) throws -> String {
        guard input.count > 2 else { return "refused" }
        let selector = input[0]
        let sample = PageSample.shared
        let index = Int(selector) / orders.count % sample.pages.pages.count
        let page = withCRC(redirected(Array(input.dropFirst(2)), input[1]))
        let pages = sample.pages.with(page, at: index)
        let loose = try? LoosePage(page, kernel: .scalar)
        if let loose { try expect(loose.bytes == page, "laid out, it is stored in another way") }
        do {
            let tree = try Tree(sample.stored, in: pages, budgetBytes: .max, kernel: .scalar)
            let view = tree.freeze(hashing: true)
            try read(view, orders[Int(selector) % orders.count])
            try expect(loose != nil, "what is no page was read")
            guard page != sample.pages.pages[index] else { return "honest" }
            try view.checkInvariants()
            return "harmless"
        } catch is PageError {
            return loose == nil ? "refused" : "refused by its hash"
        }
    }

    /// In which order all of a tree is read. What is in memory already is believed, so that makes a difference.
    private enum Order { case scanning, risingGets, fallingGets }
    private static let orders = [Order.scanning, .risingGets, .fallingGets]

    private static func read(_ view: TreeView, _ order: Order) throws {
        let entries = PageSample.shared.entries
        switch order {
        case .scanning: break
        case .risingGets: for entry in entries { try get(entry, view) }
        case .fallingGets: for entry in entries.reversed() { try get(entry, view) }
        }
        var count = 0
        try view.forEach(from: nil, to: nil) { key, value in
            guard count < entries.count, Array(key) == entries[count].key, Array(value) == entries[count].value else {
                count = -1
                return false
            }
            count += 1
            return true
        }
        try expect(count == entries.count, "a scan shows what is not so")
        guard order == .scanning else { return }
        for entry in entries { try get(entry, view) }
    }

    private static func get(_ entry: (key: [UInt8], value: [UInt8]), _ view: TreeView) throws {
        let found = try entry.key.withUnsafeBytes { key in
            try view.reading { try view.value(for: key).map { Array($0) } }
        }
        try expect(found == entry.value, "a get of \(entry.key) answers what is not so")
    }

    /// A page with the crc that it must have.
    static func withCRC(_ page: [UInt8]) -> [UInt8] {
        let crc = page.withUnsafeBytes { CRC32C.checksum($0) }
        return page + withUnsafeBytes(of: crc.littleEndian) { Array($0) }
    }

    /// With one of its references leading to another page of the tree, which a fuzzer seldom hits upon.
    private static func redirected(_ page: [UInt8], _ how: UInt8) -> [UInt8] {
        let (places, others) = (PageSample.references(in: page), PageSample.shared.references)
        guard how > 0, !places.isEmpty else { return page }
        var page = page
        page.replaceSubrange(places[Int(how) % 16 % places.count], with: others[Int(how) / 16 % others.count])
        return page
    }

    /// Every page in every order, and every reference leading everywhere.
    @Sendable static func seeds() throws -> [[UInt8]] {
        var seeds: [[UInt8]] = []
        for (index, stored) in PageSample.shared.pages.pages.enumerated() {
            let page = Array(stored.dropLast(4))
            for order in orders.indices { seeds.append([UInt8(index * orders.count + order), 0] + page) }
            for place in PageSample.references(in: page).indices {
                for other in PageSample.shared.references.indices {
                    seeds.append([UInt8(index * orders.count), UInt8(place + 16 * other)] + page)
                }
            }
        }
        return seeds
    }
}
