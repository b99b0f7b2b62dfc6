import Foundation
import Rootfast
import Testing

/// A folder that is gone when the test is.
final class TemporaryFolder: Sendable {
    let path: String
    init() {
        path = NSTemporaryDirectory() + "rootfast-" + UUID().uuidString
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct StoreTests {
    @Test func `what is written is there after reopening, under the same root`() throws {
        let folder = TemporaryFolder()
        let store = try Store.open(folder.path, mode: .createIfMissing)
        #expect(store.recovery.isNew)
        let receipt = try store.write {
            try $0.put("alice", "90")
            try $0.put("bob", "110")
        }
        #expect(receipt.sequence == 1)
        try store.write { try $0.delete("bob") }
        #expect(store.get("alice") == Array("90".utf8))
        #expect(store.get("bob") == nil)
        let root = store.root
        try store.close()

        let again = try Store.open(folder.path)
        #expect(again.root == root)
        #expect(again.view.sequence == 2)
        #expect(again.get("alice") == Array("90".utf8))
        try again.close()
        let report = try Store.check(folder.path)
        #expect(report.verdict == .sound)
        #expect(report.root == root)
    }
}
