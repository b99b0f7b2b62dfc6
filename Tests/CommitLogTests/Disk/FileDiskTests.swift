import CommitLog
import Foundation
import SpecSupport
import Testing

/// What a store's folder may have become, and what the system then answers: each is told by call, name and error.
@Suite struct FileDiskTests {
    /// A disk with a folder `folder`, a file `file`, and `loop`, a link to itself.
    private static func disk() throws -> (folder: TemporaryFolder, disk: FileDisk) {
        let folder = TemporaryFolder()
        let disk = try FileDisk(path: folder.path, .exclusive, creating: true)
        try disk.makeFolder("folder")
        _ = try disk.open("file", .create)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/loop", withDestinationPath: "loop")
        return (folder, disk)
    }

    private func expectFailure(
        _ call: String, _ name: String, _ errno: Int32, at location: SourceLocation = #_sourceLocation,
        _ body: () throws -> Void
    ) {
        #expect(throws: DiskError(call: call, name: name, errno: errno), sourceLocation: location, performing: body)
    }

    /// How a folder that cannot be taken hold of is told.
    private func refusal(_ path: String, _ opening: FileDisk.Opening, creating: Bool = false) -> String {
        do throws(FileDisk.OpeningError) {
            _ = try FileDisk(path: path, opening, creating: creating)
            return "opened"
        } catch {
            switch error {
            case .missing: return "missing"
            case .locked: return "locked"
            case .disk(let error): return "\(error.call) \(error.errno)"
            }
        }
    }

    @Test func `a folder that is missing, locked, or no folder is told apart from one that the system refuses`() throws
    {
        let (folder, disk) = try Self.disk()
        defer { withExtendedLifetime(folder) {} }
        #expect(refusal(folder.path + "/none", .readOnly) == "missing")
        #expect(refusal(folder.path + "/file", .readOnly) == "missing")
        #expect(refusal(folder.path + "/loop", .readOnly) == "open \(ELOOP)")
        #expect(refusal(folder.path + "/none/below", .exclusive, creating: true) == "mkdir \(ENOENT)")
        #expect(refusal(folder.path, .exclusive) == "locked")
        // A folder that is no store gets no lock file, unless a store is to be made there.
        #expect(refusal(folder.path + "/folder", .exclusive) == "missing")
        #expect(try disk.list("folder").isEmpty)
        #expect(refusal(folder.path + "/folder", .exclusive, creating: true) == "opened")
        #expect(try disk.list("folder") == ["lock"])
        try disk.remove("folder/lock")
        try disk.makeFolder("folder/lock")
        #expect(refusal(folder.path + "/folder", .exclusive, creating: true) == "openat \(EISDIR)")
    }

    @Test func `a lock is seen while it is held, and no longer`() throws {
        let (folder, disk) = try Self.disk()
        defer { withExtendedLifetime(folder) {} }
        let beside = try FileDisk(path: folder.path, .readOnly)
        #expect(beside.isLocked())
        _ = consume disk
        #expect(!beside.isLocked())
        try beside.remove("lock")
        #expect(!beside.isLocked())
    }

    @Test func `a call on what is not what it should be is told with its name and error`() throws {
        let (temporary, disk) = try Self.disk()
        defer { withExtendedLifetime(temporary) {} }
        #expect(try disk.list("none").isEmpty)
        expectFailure("openat", "file", ENOTDIR) { _ = try disk.list("file") }
        expectFailure("mkdirat", "none/below", ENOENT) { try disk.makeFolder("none/below") }
        try disk.makeFolder("folder")
        #expect(try disk.open("none", .write) == nil)
        expectFailure("openat", "folder", EISDIR) { _ = try disk.open("folder", .write) }
        expectFailure("openat", "loop", ELOOP) { _ = try disk.open("loop", .read) }
        expectFailure("openat", "file", EEXIST) { _ = try disk.open("file", .create) }
        expectFailure("renameat", "none", ENOENT) { try disk.rename("none", to: "file") }
        expectFailure("unlinkat", "folder", EISDIR) { try disk.remove("folder") }
        try disk.remove("none")
        expectFailure("openat", "none", ENOENT) { try disk.syncFolder("none") }
        let folder = try #require(try disk.open("folder", .read))
        var bytes: [UInt8] = [0]
        expectFailure("pread", "folder", EISDIR) {
            _ = try bytes.withUnsafeMutableBytes { try folder.read(into: $0, at: 0) }
        }
    }

    /// `/dev/full` is always out of room, and neither grows nor syncs.
    @Test(
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full here"),
        arguments: [DiskAccess.write, .flushes])
    func `a device that takes nothing is told with each call that fails`(access: DiskAccess) throws {
        let file = try #require(try FileDisk(path: "/dev", .readOnly).open("full", access))
        [UInt8](repeating: 1, count: 600).withUnsafeBytes { bytes in
            expectFailure("pwrite", "full", ENOSPC) { try file.write(bytes, at: 0) }
        }
        expectFailure("posix_fallocate", "full", ENODEV) { try file.zeroFill(from: 0, to: 10_000) }
        expectFailure("ftruncate", "full", EINVAL) { try file.truncate(to: 0) }
        expectFailure("fdatasync", "full", EINVAL) { try file.sync() }
        // Nothing to do, and so nothing that fails.
        try file.zeroFill(from: 10, to: 10)
        #expect(try file.byteCount() == 0)
    }
}
