import CommitLog
import SeededRandom
import SpecSupport
import Testing

/// Files opened for flushes go past the page cache where they can. Whatever the sizes and offsets, they hold what was
/// written, and nothing but zeros behind it.
@Suite struct DirectWriteTests {
    @Test(arguments: UInt64(0)..<20)
    func `a file written past the cache holds what a model of it holds`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let folder = TemporaryFolder()
        let disk = try FileDisk(path: folder.path, .exclusive, creating: true)
        _ = try disk.open("file", .create)
        var file = try #require(try disk.open("file", .flushes))
        var model: [UInt8] = []
        var zeroed = 0
        for _ in 0..<40 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0:  // a writer of a later process
                file = try #require(try disk.open("file", .flushes))
            case 1:
                let end = max(zeroed, model.count) + Int.random(in: 1...20_000, using: &random)
                try file.zeroFill(from: max(zeroed, model.count), to: end)
                zeroed = end
            case 2:  // cut where a flush ends, and go on from there
                try file.truncate(to: model.count)
                zeroed = model.count
            default:
                let sizes = [1...10, 400...1200, 4000...9000, 1_000_000...2_200_000]
                let size = Int.random(in: sizes.randomElement(using: &random)!, using: &random)
                let bytes = random.bytes(size)
                try bytes.withUnsafeBytes { try file.write($0, at: model.count) }
                model += bytes
            }
            if Bool.random(using: &random) { try file.sync() }
        }
        let count = try file.byteCount()
        #expect(count >= model.count)
        var found = [UInt8](repeating: 1, count: count)
        _ = try found.withUnsafeMutableBytes { try file.read(into: $0, at: 0) }
        #expect(found.prefix(model.count).elementsEqual(model))
        #expect(found.dropFirst(model.count).allSatisfy { $0 == 0 })
    }
}
