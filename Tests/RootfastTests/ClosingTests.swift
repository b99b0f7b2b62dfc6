import CommitLog
import Dispatch
import Foundation
import Rootfast
import SpecSupport
import Testing

/// What closing a store meets under way, and what it leaves.
@Suite struct ClosingTests {
    private static func open(_ disk: SimulatedDisk, creating: Bool = false) throws -> Store {
        try MaintenanceRegressionTests.open(disk, creating: creating) {
            $0.compaction.commitCount = 10
            $0.snapshotsOnClose = true
        }
    }

    /// Enough log to be worth a snapshot on closing.
    private static func fill(_ store: Store, _ name: String) throws {
        for i in 0..<20 {
            try store.write(id: "\(name) \(i)") { try $0.put("key \(i)", [UInt8](repeating: 7, count: 10_000)) }
        }
    }

    private static func stepUntilUnverified(_ store: Store) throws {
        while try !store.maintenance.snapshots().contains(where: { !$0.isVerified }) {
            try #require(try store.maintenance.step())
        }
    }

    /// The store was told of a snapshot's end by a request that closing had it refuse. So the outcomes in it were taken for
    /// outcomes that no snapshot has: the closing one added them again, and `check` called a healthy store damaged.
    @Test func `a snapshot that ends while the store is closed has its outcomes counted once`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true)
        try Self.fill(store, "before")
        try Self.stepUntilUnverified(store)
        try Self.fill(store, "after")

        disk.holdSyncs()
        let (isStepped, isClosed) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        DispatchQueue.global().async {
            while (try? store.maintenance.step()) == true, disk.heldSyncCount == 0 {}
            isStepped.signal()
        }
        while disk.heldSyncCount == 0 { usleep(100) }
        DispatchQueue.global().async {
            try? store.close()
            isClosed.signal()
        }
        while (try? store.status()) != nil { usleep(100) }
        disk.releaseSyncs()
        isStepped.wait()
        isClosed.wait()

        let report = try Store.checking(disk)
        #expect(report.verdict == .sound, "\(String(describing: report.damage))")
        #expect(report.outcomeCount == 40)
        #expect(report.snapshots.map(\.sequence) == [20, 40])
    }

    /// Closing gave up the snapshot under way and forgot how much log there was that it would have covered: so it took none,
    /// and the next opening replayed all of it.
    @Test func `a snapshot that closing gives up is made good by the one on closing`() throws {
        let disk = SimulatedDisk()
        let store = try Self.open(disk, creating: true)
        try Self.fill(store, "before")
        try Self.stepUntilUnverified(store)
        try store.close()
        let again = try Self.open(disk)
        #expect(again.recovery.snapshotSequence == 20 && again.recovery.flushCount == 0)
    }

    /// The thread that makes room for the log kept the folder of a store that had failed, and with it its lock: the store could
    /// not be opened again, which is what the error told to do, while the closed one was at hand.
    @Test func `a store that has failed lets go of its folder when it is closed`() throws {
        let folder = TemporaryFolder()
        let disk = FailingDisk(try FileDisk(path: folder.path, .exclusive, creating: true))
        let store = try Store.open(disk, creating: true, options: Options(), environment: .system())
        try store.write { try $0.put("a", [UInt8](repeating: 1, count: 100_000)) }
        disk.fail()
        expectError(.outcomeUnknown) { try store.write { try $0.put("b", "1") } }
        expectError(.poisoned) { try store.write { try $0.put("b", "1") } }
        try store.close()
        disk.letGo()
        let again = try Store.open(folder.path)
        #expect(try again.get("a")?.count == 100_000)
        try again.close()
        withExtendedLifetime(store) {}
    }
}

/// A real disk whose syncs of files fail when told.
///
/// `@unchecked Sendable`, because what is mutable is touched under `lock` only.
private final class FailingDisk: Disk, @unchecked Sendable {
    private let lock = NSLock()
    private var disk: FileDisk?
    private var isFailing = false

    init(_ disk: FileDisk) { self.disk = disk }

    func fail() { lock.withLock { isFailing = true } }
    var fails: Bool { lock.withLock { isFailing } }
    /// What is left of the disk then is what the store holds.
    func letGo() { lock.withLock { disk = nil } }
    private var real: FileDisk { lock.withLock { disk! } }

    func list(_ folder: String) throws(DiskError) -> [String] { try real.list(folder) }
    func makeFolder(_ folder: String) throws(DiskError) { try real.makeFolder(folder) }
    func open(_ name: String, _ access: DiskAccess) throws(DiskError) -> (any DiskFile)? {
        try real.open(name, access).map { FailingFile($0, self) }
    }
    func rename(_ name: String, to newName: String) throws(DiskError) { try real.rename(name, to: newName) }
    func remove(_ name: String) throws(DiskError) { try real.remove(name) }
    func database(_ name: String) -> DatabaseLocation { real.database(name) }
    func syncFolder(_ folder: String) throws(DiskError) { try real.syncFolder(folder) }
}

private final class FailingFile: DiskFile, Sendable {
    private let file: any DiskFile
    private let disk: FailingDisk

    init(_ file: any DiskFile, _ disk: FailingDisk) {
        self.file = file
        self.disk = disk
    }

    func byteCount() throws(DiskError) -> Int { try file.byteCount() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DiskError) -> Int {
        try file.read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(DiskError) { try file.write(bytes, at: offset) }
    func zeroFill(from: Int, to: Int) throws(DiskError) { try file.zeroFill(from: from, to: to) }
    func truncate(to count: Int) throws(DiskError) { try file.truncate(to: count) }
    func sync() throws(DiskError) {
        if disk.fails { throw DiskError(call: "fdatasync", name: "log", errno: 5) }
        try file.sync()
    }
}
