import CommitLog
import Hashing
import StrictJSON

/// The records that one sync makes durable together: open while requests are admitted to it, then closed, *sealed* with
/// the root and the end that follows from it, written and synced. Used again for its memory.
final class Flush {
    /// The records, and once sealed the whole flush.
    var buffer = ByteBuffer(capacity: 64 << 10)
    /// An upper bound of the bytes it takes once closed.
    private(set) var byteCountMax = endBytesMax
    /// Who waits for it to be durable.
    private(set) var waiting: [CommitRequest] = []
    /// How to take back what its records did.
    var undo: [StateMachine.Undo] = []
    /// The state at its end, once closed; hashed once sealed.
    private(set) var view: StateView?
    /// Where the log stands at its end, once closed; with its root and chain once sealed.
    private(set) var tip: LogTip?
    private(set) var isSealed = false

    /// What the last record's flush fields take at most, with room to spare.
    private static let endBytesMax = 1024

    /// Memory beyond this, for a single large transaction, is not kept.
    private static let keptBytesMax = 8 << 20

    var isEmpty: Bool { buffer.isEmpty }

    /// Makes it an open flush without records.
    func reset() {
        buffer.removeAll(keepingCapacity: buffer.count <= Self.keptBytesMax)
        waiting.removeAll(keepingCapacity: true)
        undo.removeAll(keepingCapacity: true)
        byteCountMax = Self.endBytesMax
        (view, tip, isSealed) = (nil, nil, false)
    }

    /// The bytes it takes at most with a request more.
    func byteCountMax(with request: CommitRequest) -> Int { byteCountMax + request.byteCountMax }

    func add(_ request: CommitRequest, isWaiting: Bool) {
        byteCountMax += request.byteCountMax
        if isWaiting { waiting.append(request) }
    }

    /// Closes it. `tip` is where the log stands with all its records, but for the offset, and for the root and the chain,
    /// which are those before it.
    func close(_ tip: LogTip, view: StateView) {
        self.tip = tip
        self.view = view
        let recordsEnd = buffer.count
        // Its end is as long whatever the root, which is not known yet.
        RecordEncoder.appendFlushEnd(root: tip.root, synced: tip.synced, to: &buffer)
        RecordEncoder.appendChain(tip.chain, to: &buffer)
        RecordEncoder.appendCRC(0, to: &buffer)
        self.tip!.offset += buffer.count
        buffer.truncate(to: recordsEnd)
    }

    /// Closes it without a record: nothing is to be written.
    func close(empty tip: LogTip, view: StateView) {
        self.tip = tip
        self.view = view
        isSealed = true
    }

    /// Gives the last record the fields that end a flush. `view` is the state at its end, hashed.
    func seal(_ view: StateView) {
        self.view = view
        let root = view.tree.root!
        RecordEncoder.appendFlushEnd(root: root, synced: tip!.synced, to: &buffer)
        var stream = BLAKE2b.Stream()
        tip!.chain.withUnsafeBytes { stream.update($0) }
        stream.update(buffer.bytes)
        (tip!.root, tip!.chain) = (root, stream.finish())
        RecordEncoder.appendChain(tip!.chain, to: &buffer)
        RecordEncoder.appendCRC(CRC32C.checksum(buffer.bytes), to: &buffer)
        isSealed = true
    }

    /// Takes out those who wait, each with the answer.
    func takeAnswers(_ result: Result<Void, StoreError>) -> [(completion: Completion, answer: Completion.Answer)] {
        defer { waiting.removeAll(keepingCapacity: true) }
        return waiting.map { request in
            let answer = result.map {
                Receipt(
                    sequence: request.sequence, root: tip!.root, rootSequence: view!.sequence,
                    durableSequence: view!.sequence)
            }
            return (request.completion, answer)
        }
    }
}
