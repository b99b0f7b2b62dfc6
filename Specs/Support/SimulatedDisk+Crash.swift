package import SeededRandom
import Threading

extension SimulatedDisk {
    static let sectorBytes = 512

    /// What a killed process leaves: everything that it wrote, and as much of it durable as before.
    package func afterKill() -> SimulatedDisk { lock.withLock { copy() } }

    /// What a power loss leaves: all that was synced, and any part of the rest, as the generator decides.
    package func afterPowerLoss(_ random: inout SeededGenerator) -> SimulatedDisk {
        lock.lock()
        defer { lock.unlock() }
        var kept = durableEntries
        for (_, change) in pendingEntries where Bool.random(using: &random) { Self.apply(change, to: &kept) }
        let disk = SimulatedDisk()
        for (name, inode) in kept.sorted(by: { $0.key < $1.key }) {
            disk.entries[name] = SimulatedInode(Self.image(of: inode, &random))
        }
        disk.durableEntries = disk.entries
        disk.folders = folders
        return disk
    }

    private static func image(of inode: SimulatedInode, _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = inode.durable
        // Some crashes lose everything, some nothing: extremes that independent coins never reach.
        let share = [0, 1, 2, 3, 4].randomElement(using: &random)!
        func keeps() -> Bool { Int.random(in: 0..<4, using: &random) < share }
        for change in inode.pending {
            switch change {
            case .length(let count): if keeps() { bytes.setCount(count) }
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

    /// A disk of its own in the same state, with the same changes pending; under the lock.
    func copy() -> SimulatedDisk {
        var copies: [ObjectIdentifier: SimulatedInode] = [:]
        func copy(_ inode: SimulatedInode) -> SimulatedInode {
            if let known = copies[ObjectIdentifier(inode)] { return known }
            let new = inode.copy()
            copies[ObjectIdentifier(inode)] = new
            return new
        }
        let disk = SimulatedDisk()
        disk.durableEntries = durableEntries.mapValues(copy)
        disk.entries = entries.mapValues(copy)
        disk.pendingEntries = pendingEntries.map { folder, change in
            switch change {
            case .set(let name, let inode): (folder, .set(name, copy(inode)))
            case .move(let from, let to, let inode): (folder, .move(from, to, copy(inode)))
            case .clear: (folder, change)
            }
        }
        disk.folders = folders
        return disk
    }
}
