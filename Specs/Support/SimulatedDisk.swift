package import CommitLog
import Threading

/// A disk in memory that forgets, at a crash, what was not synced.
///
/// Every write, change of length and directory entry since the last sync is remembered on its own. A crash keeps or
/// loses each of them, in any combination, and tears writes at 512 bytes. Any call can be made to fail, and a sync can
/// be held up. `@unchecked Sendable`, because everything mutable is touched under `lock` only.
package final class SimulatedDisk: Disk, @unchecked Sendable {
    enum EntryChange {
        case set(String, SimulatedInode)
        case clear(String)
        /// As the file system notes it: the new name is that of this very file, whatever the old one is then found to be.
        case move(String, String, SimulatedInode)
    }

    let lock = Lock()
    var durableEntries: [String: SimulatedInode] = [:]
    var entries: [String: SimulatedInode] = [:]
    var pendingEntries: [(folder: String, change: EntryChange)] = []
    var folders: Set<String> = [""]
    private let syncGate = Condition()
    private var syncIsHeld = false
    private(set) var syncsWaiting = 0
    private var syncs = 0
    /// Consulted before every call: the errno it is to fail with, or `nil`.
    private var fault: ((_ call: String, _ name: String) -> Int32?)?

    private var momentIsNow: ((_ call: String, _ name: String) -> Bool)?
    private var moment: SimulatedDisk?
    private var witness: ((_ call: String, _ name: String, _ disk: SimulatedDisk) -> Void)?
    /// By which SQLite knows this disk, once it does.
    private var number: Int?

    package init() {}

    deinit { if let number { SimulatedDisks.all.forget(number) } }

    /// A disk on which all of these files are durable.
    package init(files: [String: [UInt8]]) {
        for (name, bytes) in files {
            entries[name] = SimulatedInode(bytes)
            if let slash = name.lastIndex(of: "/") { folders.insert(String(name[..<slash])) }
        }
        durableEntries = entries
    }

    /// The files as a running process sees them.
    package var files: [String: [UInt8]] { lock.withLock { entries.mapValues(\.current) } }

    // MARK: - Trouble

    /// Makes calls fail from now on as `fault` says.
    package func setFault(_ fault: ((_ call: String, _ name: String) -> Int32?)?) {
        lock.withLock { self.fault = fault }
    }

    /// Holds every sync up until `releaseSyncs`.
    package func holdSyncs() { lock.withLock { syncIsHeld = true } }

    package func releaseSyncs() {
        lock.withLock { syncIsHeld = false }
        syncGate.broadcast()
    }

    /// How many syncs are held up now.
    package var heldSyncCount: Int { lock.withLock { syncsWaiting } }

    /// Remembers the disk as it is right before the first call for which `isNow` answers true.
    package func noteMoment(when isNow: @escaping (_ call: String, _ name: String) -> Bool) {
        lock.withLock {
            moment = nil
            momentIsNow = isNow
        }
    }

    /// Shows `witness` the disk as it is right before each call from now on. It must not use this disk itself.
    package func watch(_ witness: ((_ call: String, _ name: String, _ disk: SimulatedDisk) -> Void)?) {
        lock.withLock { self.witness = witness }
    }

    /// The disk as it was at the noted moment, if that has come.
    package func atMoment() -> SimulatedDisk? { lock.withLock { moment } }

    static func apply(_ change: EntryChange, to entries: inout [String: SimulatedInode]) {
        switch change {
        case .set(let name, let inode): entries[name] = inode
        case .clear(let name): entries[name] = nil
        case .move(let from, let to, let inode):
            if entries[from] === inode { entries[from] = nil }
            entries[to] = inode
        }
    }

    // MARK: - Disk

    package func list(_ folder: String) throws(DiskError) -> [String] {
        try call("list", folder) {
            entries.keys.filter { Self.folder(of: $0) == folder }.map { String($0.dropFirst(folder.count + 1)) }
                .sorted()
        }
    }

    package func makeFolder(_ folder: String) throws(DiskError) {
        try call("mkdirat", folder) { _ = folders.insert(folder) }
    }

    package func open(_ name: String, _ access: DiskAccess) throws(DiskError) -> (any DiskFile)? {
        try call("openat", name) {
            if access == .create {
                precondition(entries[name] == nil, "\(name) exists")
                return create(name)
            }
            return entries[name].map { SimulatedFile(self, name, $0) }
        }
    }

    /// Opens a file and makes it if it is not there; tells whether it was made.
    func openOrCreate(_ name: String) throws(DiskError) -> (file: SimulatedFile, isNew: Bool) {
        try call("openat", name) {
            if let inode = entries[name] { return (SimulatedFile(self, name, inode), false) }
            return (create(name), true)
        }
    }

    private func create(_ name: String) -> SimulatedFile {
        let inode = SimulatedInode()
        entries[name] = inode
        pendingEntries.append((Self.folder(of: name), .set(name, inode)))
        return SimulatedFile(self, name, inode)
    }

    /// How many bytes a file has; `nil` if there is none by that name.
    func byteCount(of name: String) throws(DiskError) -> Int? {
        try call("faccessat", name) { entries[name]?.current.count }
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        try call("renameat", name) {
            guard let inode = entries[name] else { return }
            Self.apply(.move(name, newName, inode), to: &entries)
            pendingEntries.append((Self.folder(of: newName), .move(name, newName, inode)))
        }
    }

    package func remove(_ name: String) throws(DiskError) { _ = try removeIfThere(name) }

    /// Tells whether there was such a file.
    func removeIfThere(_ name: String) throws(DiskError) -> Bool {
        try call("unlinkat", name) {
            guard entries.removeValue(forKey: name) != nil else { return false }
            pendingEntries.append((Self.folder(of: name), .clear(name)))
            return true
        }
    }

    package func database(_ name: String) -> DatabaseLocation {
        SimulatedVFS.register()
        let path = lock.withLock {
            if number == nil { number = SimulatedDisks.all.add(self) }
            return "/\(number!)/\(name)"
        }
        return DatabaseLocation(path: path, vfs: SimulatedVFS.name)
    }

    package func syncFolder(_ folder: String) throws(DiskError) {
        try call("fsync", folder) {
            for (_, change) in pendingEntries.filter({ $0.folder == folder }) {
                Self.apply(change, to: &durableEntries)
            }
            pendingEntries.removeAll { $0.folder == folder }
        }
    }

    /// Runs one call under the lock, unless it is to fail.
    func call<R>(_ name: String, _ file: String, _ body: () -> R) throws(DiskError) -> R {
        lock.lock()
        defer { lock.unlock() }
        if moment == nil, momentIsNow?(name, file) == true { moment = copy() }
        witness?(name, file, copy())
        if let errno = fault?(name, file) { throw DiskError(call: name, name: file, errno: errno) }
        return body()
    }

    /// Waits while syncs are held up.
    func passSyncGate() {
        lock.withLock {
            syncsWaiting += 1
            while syncIsHeld { syncGate.wait(lock) }
            syncsWaiting -= 1
        }
    }

    /// Counts a sync of a file; under the lock.
    func noteSync() { syncs += 1 }

    /// How many syncs of files there have been.
    package func syncCount() -> Int { lock.withLock { syncs } }

    static func folder(of name: String) -> String {
        name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
    }
}
