/// A file of a `SimulatedDisk`, whatever its names: what a process sees, what is durable, and what lies between.
///
/// Copies share their bytes until one of them is written. Touched under the disk's lock only.
final class SimulatedInode {
    private(set) var durable: [UInt8]
    private(set) var current: [UInt8]
    /// What was done since the last sync, in order.
    private(set) var pending: [Change] = []
    /// What SQLite's connections to this file share while they are open.
    lazy var connections = SimulatedConnections()

    enum Change {
        case write(offset: Int, bytes: [UInt8])
        case length(Int)

        func apply(to file: inout [UInt8]) {
            switch self {
            case .write(let offset, let bytes): file.overlay(bytes[...], at: offset)
            case .length(let count): file.setCount(count)
            }
        }
    }

    /// A file of which all is durable.
    init(_ bytes: [UInt8] = []) {
        durable = bytes
        current = bytes
    }

    /// The same file on another disk; nobody has it open there.
    func copy() -> SimulatedInode {
        let copy = SimulatedInode()
        (copy.durable, copy.current, copy.pending) = (durable, current, pending)
        return copy
    }

    func change(_ change: Change) {
        change.apply(to: &current)
        pending.append(change)
    }

    func sync() {
        for change in pending { change.apply(to: &durable) }
        pending = []
    }

    /// What a sync that fails does: what is pending can still be read, and no later sync writes it.
    func dropPending() { pending = [] }
}

extension [UInt8] {
    /// Writes bytes over this array, extending it with zeros where it is too short.
    mutating func overlay(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        guard !bytes.isEmpty else { return }
        if count < offset + bytes.count { append(contentsOf: repeatElement(0, count: offset + bytes.count - count)) }
        withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: $0) }
        }
    }

    /// Cuts this array, or extends it with zeros.
    mutating func setCount(_ newCount: Int) {
        if newCount < count { removeLast(count - newCount) }
        if newCount > count { append(contentsOf: repeatElement(0, count: newCount - count)) }
    }
}
