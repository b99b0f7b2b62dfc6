import CommitLog
import Hashing
import StateTree
import StrictJSON

/// The records that one sync makes durable together: open while requests are admitted to it, then closed, *sealed* with
/// the root and the end that follows from it, written and synced. Used again for its memory.
final class Flush {
    /// The records, and once sealed the whole flush.
    private(set) var buffer = ByteBuffer(capacity: 64 << 10)
    /// How many bytes its records take.
    private(set) var recordByteCount = 0
    /// An upper bound of the bytes it takes once closed.
    private(set) var byteCountMax = endBytesMax
    /// Who waits for it to be durable.
    private(set) var waiting: [CommitRequest] = []
    /// How to take back what its records did.
    var undo: [StateMachine.Undo] = []
    /// What the keys held before that its records wrote, where no view of the state before is kept.
    private(set) var overwritten = Overwritten()
    /// The state at its end, once closed.
    private var end: End?
    /// Where the log stands at its end, once closed; with its root and chain once sealed.
    private(set) var tip: LogTip?
    private(set) var isSealed = false

    /// The state at the end of a flush: one that is kept, or one that nobody is going to look at.
    enum End {
        /// Hashed once the flush is sealed.
        case view(StateView)
        case unseen(TreeEnd)
    }

    /// The state at its end, if it is kept; hashed once sealed.
    var view: StateView? {
        guard case .view(let view)? = end else { return nil }
        return view
    }
    /// The number of keys at its end, once closed.
    var keyCount: Int {
        switch end {
        case .view(let view): view.tree.count
        case .unseen(let end): end.count
        case nil: 0
        }
    }

    /// What the last record's flush fields take at most, with room to spare.
    private static let endBytesMax = 1024

    /// Memory beyond this, for a single large transaction, is not kept.
    private static let keptBytesMax = 8 << 20

    var isEmpty: Bool { recordByteCount == 0 }

    /// Makes it an open flush without records.
    func reset() {
        buffer.removeAll(keepingCapacity: buffer.count <= Self.keptBytesMax)
        recordByteCount = 0
        waiting.removeAll(keepingCapacity: true)
        undo.removeAll(keepingCapacity: true)
        if overwritten.byteCount > Self.keptBytesMax { overwritten = Overwritten() } else { overwritten.removeAll() }
        byteCountMax = Self.endBytesMax
        (end, tip, isSealed) = (nil, nil, false)
    }

    /// Adds a record, or several that `encode` ends but for the last.
    @inline(__always)
    func append(_ encode: (inout ByteBuffer) -> Void) {
        if !isEmpty { RecordEncoder.endRecord(to: &buffer) }
        encode(&buffer)
        recordByteCount = buffer.count
    }

    /// The bytes it takes at most with a request more.
    func byteCountMax(with request: CommitRequest) -> Int { byteCountMax + request.byteCountMax }

    func add(_ request: CommitRequest, isWaiting: Bool) {
        byteCountMax += request.byteCountMax
        if isWaiting { waiting.append(request) }
    }

    /// Closes it. `tip` is where the log stands with all its records, but for the offset, and for the root and the chain,
    /// which are those before it.
    func close(_ tip: LogTip, at end: End) {
        self.tip = tip
        self.end = end
        // Its end is as long whatever the root, which is not known yet.
        RecordEncoder.appendFlushEnd(root: tip.root, synced: tip.synced, to: &buffer)
        RecordEncoder.appendChain(tip.chain, to: &buffer)
        RecordEncoder.appendCRC(0, to: &buffer)
        self.tip!.offset += buffer.count
        buffer.truncate(to: recordByteCount)
    }

    /// Closes it without a record: nothing is to be written.
    func close(empty tip: LogTip) {
        self.tip = tip
        isSealed = true
    }

    /// Hashes the state at its end, and gives the last record the fields that end a flush.
    func seal(_ tree: Tree) {
        let root = hashEnd(tree)
        RecordEncoder.appendFlushEnd(root: root, synced: tip!.synced, to: &buffer)
        var stream = BLAKE2b.Stream()
        tip!.chain.withUnsafeBytes { stream.update($0) }
        stream.update(buffer.bytes)
        (tip!.root, tip!.chain) = (root, stream.finish())
        RecordEncoder.appendChain(tip!.chain, to: &buffer)
        RecordEncoder.appendCRC(CRC32C.checksum(buffer.bytes), to: &buffer)
        isSealed = true
    }

    private func hashEnd(_ tree: Tree) -> Digest {
        switch end {
        case .view(let view):
            let hashed = StateView(tree: tree.hash(view.tree), sequence: view.sequence)
            end = .view(hashed)
            return hashed.tree.root!
        case .unseen(let end): return tree.root(of: end)
        case nil: preconditionFailure("a flush is sealed once it is closed")
        }
    }

    /// Moves those who wait into `answers`, which nobody is left in. Without a failure it is durable.
    func takeAnswers(_ failure: StoreError? = nil, into answers: inout Answers) {
        precondition(answers.isEmpty)
        swap(&waiting, &answers.requests)
        answers.failure = failure
        guard failure == nil, let tip else { return }
        answers.receipt = Receipt(sequence: 0, root: tip.root, rootSequence: tip.seq, durableSequence: tip.seq)
    }
}
