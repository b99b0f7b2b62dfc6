import CommitLog
import Hashing
import StrictJSON

/// The records that one sync makes durable together: open while requests are admitted to it, then closed, written and
/// synced. Used again for its memory.
final class Flush {
    /// The records, and once closed the whole flush.
    var buffer = ByteBuffer(capacity: 64 << 10)
    /// An upper bound of the bytes it takes once closed.
    private(set) var byteCountMax = endBytesMax
    /// Who waits for it to be durable.
    private(set) var waiting: [CommitRequest] = []
    /// How to take back what its records did.
    var undo: [StateMachine.Undo] = []
    /// The chain so far.
    private var stream = BLAKE2b.Stream()
    private var streamedCount = 0
    /// The state at its end, once closed.
    var view: StateView?
    /// Where the log stands at its end, once closed.
    var tip: LogTip?

    /// What the last record's flush fields take at most, with room to spare.
    private static let endBytesMax = 1024

    /// Memory beyond this, for a single large transaction, is not kept.
    private static let keptBytesMax = 8 << 20

    var isEmpty: Bool { buffer.isEmpty }

    /// Makes it an open flush without records that goes on after `chain`.
    func reset(after chain: Digest) {
        buffer.removeAll(keepingCapacity: buffer.count <= Self.keptBytesMax)
        waiting.removeAll(keepingCapacity: true)
        undo.removeAll(keepingCapacity: true)
        byteCountMax = Self.endBytesMax
        stream = BLAKE2b.Stream()
        streamedCount = 0
        chain.withUnsafeBytes { stream.update($0) }
        (view, tip) = (nil, nil)
    }

    /// The bytes it takes at most with a request more.
    func byteCountMax(with request: CommitRequest) -> Int { byteCountMax + request.byteCountMax }

    func add(_ request: CommitRequest, isWaiting: Bool) {
        byteCountMax += request.byteCountMax
        if isWaiting { waiting.append(request) }
        absorb()
    }

    /// Closes it: gives the last record the fields that end a flush. `tip` is where the log stands with all its records
    /// but for the chain, the offset and what is known to be durable.
    func close(_ tip: LogTip, synced: UInt64, view: StateView) {
        var tip = tip
        RecordEncoder.appendFlushEnd(root: tip.root, synced: synced, to: &buffer)
        absorb()
        tip.chain = stream.finish()
        RecordEncoder.appendChain(tip.chain, to: &buffer)
        RecordEncoder.appendCRC(CRC32C.checksum(buffer.bytes), to: &buffer)
        tip.offset += buffer.count
        tip.synced = synced
        self.tip = tip
        self.view = view
    }

    /// Closes it without a record: nothing is to be written.
    func close(empty tip: LogTip, view: StateView) {
        self.tip = tip
        self.view = view
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

    /// Takes what was added since into the chain, so that little of that is left to do at the end.
    private func absorb() {
        stream.update(UnsafeRawBufferPointer(rebasing: buffer.bytes[streamedCount...]))
        streamedCount = buffer.count
    }
}
