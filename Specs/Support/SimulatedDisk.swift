package import CommitLog
package import SeededRandom
import Threading

/// A disk in memory that forgets, at a crash, what was not synced.
///
/// Every write, change of length and directory entry since the last sync is remembered on its own. A crash keeps or
/// loses each of them, in any combination, and tears writes at 512 bytes. Any call can be made to fail, and a sync can
/// be held up. `@unchecked Sendable`, because everything mutable is touched under `lock` only.
package final class SimulatedDisk: Disk, @unchecked Sendable {
    static let sectorBytes = 512

    final class Inode {
        var durable: [UInt8] = []
        var current: [UInt8] = []
        var pending: [Change] = []
    }

    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case length(Int)

        func apply(to file: inout [UInt8]) {
            switch self {
            case .write(let offset, let bytes): file.overlay(bytes, at: offset)
            case .length(let count):
                file = Array(file.prefix(count)) + Array(repeating: 0, count: max(0, count - file.count))
            }
        }
    }

    private enum EntryChange {
        case set(String, Inode)
        case clear(String)
        case move(String, String)
    }

    let lock = Lock()
    private var durableEntries: [String: Inode] = [:]
    private var entries: [String: Inode] = [:]
    private var pendingEntries: [(folder: String, change: EntryChange)] = []
    private var folders: Set<String> = [""]
    private let syncGate = Condition()
    private var syncIsHeld = false
    private(set) var syncsWaiting = 0
    private var syncs = 0
    /// Consulted before every call: the errno it is to fail with, or `nil`.
    private var fault: ((_ call: String, _ name: String) -> Int32?)?

    private var momentIsNow: ((_ call: String, _ name: String) -> Bool)?
    private var moment: SimulatedDisk?

    package init() {}

    /// A disk on which all of these files are durable.
    package init(files: [String: [UInt8]]) {
        for (name, bytes) in files {
            let inode = Inode()
            inode.durable = bytes
            inode.current = bytes
            entries[name] = inode
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

    /// The disk as it was at the noted moment, if that has come.
    package func atMoment() -> SimulatedDisk? { lock.withLock { moment } }

    /// A disk of its own in the same state, with the same changes pending.
    private func copy() -> SimulatedDisk {
        var copies: [ObjectIdentifier: Inode] = [:]
        func copy(_ inode: Inode) -> Inode {
            if let known = copies[ObjectIdentifier(inode)] { return known }
            let new = Inode()
            (new.durable, new.current, new.pending) = (inode.durable, inode.current, inode.pending)
            copies[ObjectIdentifier(inode)] = new
            return new
        }
        let disk = SimulatedDisk()
        disk.durableEntries = durableEntries.mapValues(copy)
        disk.entries = entries.mapValues(copy)
        disk.pendingEntries = pendingEntries.map { folder, change in
            if case .set(let name, let inode) = change { (folder, .set(name, copy(inode))) } else { (folder, change) }
        }
        disk.folders = folders
        return disk
    }

    /// What a killed process leaves: everything that it wrote, and as much of it durable as before.
    package func afterKill() -> SimulatedDisk { lock.withLock { copy() } }

    /// What a power loss leaves: all that was synced, and any part of the rest, as the generator decides.
    package func afterPowerLoss(_ random: inout SeededGenerator) -> SimulatedDisk {
        lock.lock()
        defer { lock.unlock() }
        var kept = durableEntries
        for (_, change) in pendingEntries where Bool.random(using: &random) { Self.apply(change, to: &kept) }
        var images: [String: [UInt8]] = [:]
        for (name, inode) in kept.sorted(by: { $0.key < $1.key }) { images[name] = Self.image(of: inode, &random) }
        let disk = SimulatedDisk(files: images)
        disk.folders = folders
        return disk
    }

    private static func image(of inode: Inode, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = inode.durable
        // Some crashes lose everything, some nothing: extremes that independent coins never reach.
        let share = [0, 1, 2, 3, 4].randomElement(using: &random)!
        func keeps() -> Bool { Int.random(in: 0..<4, using: &random) < share }
        for change in inode.pending {
            switch change {
            case .length(let count):
                guard keeps() else { continue }
                Change.length(count).apply(to: &bytes)
            case .write(let offset, let written):
                var start = offset
                while start < offset + written.count {
                    let end = min((start / sectorBytes + 1) * sectorBytes, offset + written.count)
                    if keeps() { bytes.overlay(written[(start - offset)..<(end - offset)], at: start) }
                    start = end
                }
            }
        }
        return bytes
    }

    private static func apply(_ change: EntryChange, to entries: inout [String: Inode]) {
        switch change {
        case .set(let name, let inode): entries[name] = inode
        case .clear(let name): entries[name] = nil
        case .move(let from, let to):
            if let inode = entries.removeValue(forKey: from) { entries[to] = inode }
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
                let inode = Inode()
                entries[name] = inode
                pendingEntries.append((Self.folder(of: name), .set(name, inode)))
                return SimulatedFile(self, name, inode)
            }
            return entries[name].map { SimulatedFile(self, name, $0) }
        }
    }

    package func rename(_ name: String, to newName: String) throws(DiskError) {
        try call("renameat", name) {
            Self.apply(.move(name, newName), to: &entries)
            pendingEntries.append((Self.folder(of: newName), .move(name, newName)))
        }
    }

    package func remove(_ name: String) throws(DiskError) {
        try call("unlinkat", name) {
            guard entries.removeValue(forKey: name) != nil else { return }
            pendingEntries.append((Self.folder(of: name), .clear(name)))
        }
    }

    /// SQLite finds nothing here: a store on this disk takes no snapshots.
    package func databasePath(_ name: String) -> String? { nil }

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

    private static func folder(of name: String) -> String {
        name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
    }
}

extension [UInt8] {
    /// Writes bytes over this array, extending it with zeros where it is too short.
    mutating func overlay(_ bytes: some Collection<UInt8>, at offset: Int) {
        if count < offset + bytes.count { append(contentsOf: repeatElement(0, count: offset + bytes.count - count)) }
        replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }
}
