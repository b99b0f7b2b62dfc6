import CommitLog
import Rootfast
import SQLite
import SpecSupport
import Testing

/// Pages that are not in memory when they are needed, and cannot be read.
@Suite struct UnreadPageTests {
    /// A small store whose root page holds `a1`, and all else behind a child page.
    private static func make() throws -> SimulatedDisk {
        let disk = SimulatedDisk()
        let store = try open(disk, creating: true)
        try store.write { tx in
            try tx.put([0x01, 1], "1")
            for i in 0..<25 { try tx.put([0x80, UInt8(i)], [UInt8](repeating: 1, count: 100)) }
        }
        try store.maintenance.takeSnapshot()
        try store.close()
        return disk
    }

    private static func open(_ disk: SimulatedDisk, creating: Bool = false) throws -> Store {
        try MaintenanceRegressionTests.open(disk, creating: creating)
    }

    private static func damageAllButTheRoot(on disk: SimulatedDisk) throws -> Int {
        let location = disk.database("state.sqlite")
        let file = try Connection(path: location.path, vfs: location.vfs, .readWrite)
        try file.run("UPDATE pages SET image = x'00' WHERE id NOT IN (SELECT root_page FROM snapshots)")
        return file.changeCount
    }

    /// A key that was deleted took its node along, and who had ended at that key in its look-up came, in the midst of the
    /// commit, to a page that nobody had loaded. As that could not be read the process ended.
    @Test(arguments: [true, false])
    func `what is deleted leads no other change to a page that was not loaded`(putsAnother: Bool) throws {
        let disk = try Self.make()
        #expect(try Self.damageAllButTheRoot(on: disk) > 0)
        let store = try Self.open(disk)
        try store.write { tx in
            try tx.delete([0x01, 1])
            if putsAnother { try tx.put([0x01, 2], "2") } else { try tx.delete([0x01, 2]) }
        }
        #expect(store.view.sequence == 2 && store.view.count == (putsAnother ? 26 : 25))
        if putsAnother { #expect(try store.get([0x01, 1] as [UInt8]) == nil) }
        #expect(throws: StoreError.self) { try store.get([0x80, 1] as [UInt8]) }
    }

    /// The same in a replay: the store did not open, though an older snapshot led to the same state.
    @Test func `a replay that comes to a damaged page goes on from the snapshot before`() throws {
        let disk = try Self.make()
        let store = try Self.open(disk)
        try store.write { try $0.put([0x80, 1], "2") }
        try store.maintenance.takeSnapshot()
        try store.write { tx in
            try tx.delete([0x01, 1])
            try tx.put([0x01, 2], "2")
        }
        let root = store.root
        let image = disk.afterKill()
        let location = image.database("state.sqlite")
        let file = try Connection(path: location.path, vfs: location.vfs, .readWrite)
        try file.run(
            """
            UPDATE pages SET image = x'00' WHERE id > (SELECT min(last_page) FROM snapshots) \
            AND id NOT IN (SELECT root_page FROM snapshots)
            """)
        #expect(file.changeCount > 0)
        let again = try Self.open(image)
        #expect(again.root == root)
    }

    /// Who had opened an idle store to read it, without locks, was told that it was damaged once a writer had come and gone.
    @Test func `a reader whose store was written since is told so`() throws {
        let folder = TemporaryFolder()
        let writer = try SnapshotTests.open(folder.path)
        func fill(_ store: Store, _ round: Int) throws {
            for start in stride(from: 0, to: 4000, by: 500) {
                try store.write { tx in
                    for i in start..<(start + 500) {
                        try tx.put("key \(i)", [UInt8](repeating: UInt8(round), count: 500))
                    }
                }
            }
            try store.maintenance.compact()
        }
        try fill(writer, 1)
        try writer.close()
        var options = Options()
        options.memoryBytesMax = 1 << 20
        let reader = try Store.open(folder.path, mode: .readOnly, options: options)
        let later = try SnapshotTests.open(folder.path)
        for round in 2...4 { try fill(later, round) }
        try later.close()
        var toldCount = 0
        for i in 0..<4000 {
            do {
                let value = try reader.get("key \(i)")
                #expect(value == [UInt8](repeating: 1, count: 500))
            } catch {
                guard case .inputOutput = error.code else { throw error }
                toldCount += 1
            }
        }
        #expect(toldCount > 0)
    }
}
