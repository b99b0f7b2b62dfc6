import CommitLog
import Rootfast
import SpecSupport

/// The files that a store left when it was killed or closed, what they lead to, and what damaged ones may lead to.
struct Specimen {
    let files: Damage.Files
    let isClosed: Bool
    let options: Options
    /// All states that the store was in.
    let states: [Scenario.State]
    /// Where the log ends.
    let end: Place
    /// The snapshot that opening goes on from.
    let snapshotID: UInt64?

    private let newestSegment: String
    private let flushes: [Flush]
    /// Where the newest segment begins.
    private let beginning: Place
    /// The last commit that a verified snapshot vouches for.
    private let snapshotSequence: UInt64

    /// A place in the log: its last record and commit before it.
    struct Place: Hashable {
        var n: UInt64
        var sequence: UInt64
    }

    private struct Flush {
        var range: Range<Int>
        var firstN: UInt64
        var synced: UInt64
        var end: Place
    }

    /// Kills the scenario's store, or closes it.
    init(_ scenario: Scenario, closing: Bool) throws {
        if closing { try scenario.store.close() }
        (files, isClosed, options, states) = (scenario.disk.files, closing, scenario.options, scenario.states)
        let disk = SimulatedDisk(files: files)
        let store = try Scenario.open(SimulatedDisk(files: files), options)
        let status = try store.status()
        let found = states.last { $0.model.recordNumber == status.recordNumber }
        try expect(found != nil, "a state that there never was")
        try store.expect(holding: found!.model)
        end = Place(n: status.recordNumber, sequence: status.sequence)
        snapshotID = store.recovery.snapshotID
        snapshotSequence = try store.maintenance.snapshots().last { $0.isVerified }?.sequence ?? 0
        newestSegment = LogNames.segment(status.segment)
        let file = try disk.open(newestSegment, .read)!
        let (header, offset) = try SegmentHeader.read(from: file)
        beginning = Place(n: header.n, sequence: header.seq)
        flushes = try Self.flushes(SegmentReader(file, from: LogTip(header, offset: offset)))
    }

    private static func flushes(_ reader: SegmentReader) throws -> [Flush] {
        var flushes: [Flush] = []
        while case .flush(let flush) = try reader.next() {
            flushes.append(
                Flush(
                    range: flush.offset..<flush.offset + flush.byteCount, firstN: flush.firstN,
                    synced: flush.end.synced, end: Place(n: flush.tip.n, sequence: flush.tip.seq)))
        }
        return flushes
    }

    /// How much of the log must be there if a store with these files opens, and whether something behind that has to be
    /// told as a torn tail.
    ///
    /// All of it, unless the newest segment alone is damaged, the store was not closed, and nothing shows what is missing
    /// to have been durable: neither a later flush that is whole nor a snapshot. Then it ends before the first flush that
    /// is damaged.
    func kept(_ damaged: Damage.Files) -> (end: Place, leavesTail: Bool) {
        let (bytes, original) = (damaged[newestSegment] ?? [], files[newestSegment]!)
        var others = damaged
        others[newestSegment] = original
        guard !isClosed, others == files, let headerEnd = flushes.first?.range.lowerBound,
            let first = zip(bytes, original).enumerated().first(where: { $1.0 != $1.1 })?.offset
                ?? (bytes.count < original.count ? bytes.count : nil),
            first >= headerEnd, let missing = flushes.firstIndex(where: { $0.range.upperBound > first })
        else { return (end, false) }
        let isProven = flushes[(missing + 1)...].contains { flush in
            flush.synced >= flushes[missing].firstN && flush.range.upperBound <= bytes.count
                && bytes[flush.range] == original[flush.range]
        }
        let left = missing == 0 ? beginning : flushes[missing - 1].end
        guard !isProven, left.sequence >= snapshotSequence else { return (end, false) }
        let rest = bytes.dropFirst(flushes[missing].range.lowerBound)
        return (left, rest.contains { $0 != 0 })
    }
}
