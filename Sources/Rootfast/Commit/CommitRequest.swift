import CommitLog
import Hashing
import StateTree
import StrictJSON

/// What a caller wants of the next flush, and what came of it.
///
/// `@unchecked Sendable`, because it is handed from the caller to whoever admits it and on to whoever leads its flush
/// through the queue's lock, so that only one thread at a time touches it.
final class CommitRequest: @unchecked Sendable {
    enum Action {
        /// PREPARE and COMMIT in one flush. Without an id, one is made.
        case write(Proposal, id: [UInt8]?)
        /// A durable vote.
        case prepare(Proposal, id: [UInt8])
        case decide(id: [UInt8], Decision, isResolved: Bool)
        /// Nothing to write: waits until all that was applied before is durable.
        case settle
        /// Nothing to write: runs once all that came before is durable or has failed, while nobody else touches the
        /// committer and nothing newer is admitted.
        case barrier((Committer) -> Void)
        /// Nothing to write: runs at once, while nobody else touches the committer.
        case perform((Committer) -> Void)
    }

    let action: Action
    /// When it is answered.
    let durability: Durability
    /// An upper bound of the bytes it adds to the log, but for the flush end.
    let byteCountMax: Int
    /// Of what closes a store, or has to be told until it is closed: taken although the store refuses others.
    let isClosing: Bool
    /// Where its caller waits; made by the queue.
    var completion: Completion!
    /// The sequence that it was given when it was admitted.
    var sequence: UInt64 = 0

    init(_ action: Action, _ durability: Durability = .sync, isClosing: Bool = false) {
        self.action = action
        self.durability = durability
        self.isClosing = isClosing
        byteCountMax = Self.byteCountMax(of: action)
    }

    private static func byteCountMax(of action: Action) -> Int {
        // Two records' fields take less than this; an id stands in both, at most six bytes a byte.
        let fields = 400
        return switch action {
        case .write(let proposal, let id): fields + 12 * (id?.count ?? 0) + proposal.data.count
        case .prepare(let proposal, let id): fields + 12 * id.count + proposal.data.count + proposal.reads.count
        case .decide(let id, .abort(let reason), _): fields + 12 * id.count + 6 * reason.utf8.count
        case .decide(let id, .commit, _): fields + 12 * id.count
        case .settle, .barrier, .perform: 0
        }
    }
}

/// What a transaction wants to change and what it saw, encoded by its own thread before it asks.
final class Proposal {
    let changes: ChangeBytes
    let readItems: [ReadItem]
    /// What the transaction read from; `nil` if it read nothing.
    let view: StateView?
    let data: ByteBuffer
    let reads: ByteBuffer

    /// - Parameter changes: in the order of their keys.
    /// - Throws: `tooLarge`.
    init(
        changes: consuming ChangeBytes, reads readItems: [ReadItem], view: StateView?, isVoted: Bool
    ) throws(StoreError) {
        self.readItems = readItems
        self.view = view
        // Quotes, and now and then an escape.
        var data = ByteBuffer(capacity: changes.byteCount + 8 * changes.count + 64)
        var reads = ByteBuffer()
        do throws(RecordError) {
            try RecordEncoder.appendData(changes, to: &data)
            if isVoted, !readItems.isEmpty { try RecordEncoder.appendReads(readItems, to: &reads) }
            guard data.count + reads.count <= RecordLimits.fragmentBytesMax else { throw Self.tooLarge }
        } catch {
            throw StoreError(
                .tooLarge, "The transaction takes more than \(RecordLimits.lineBytesMax) bytes as a record",
                advice: "Split it into smaller ones.")
        }
        self.changes = changes
        self.data = data
        self.reads = reads
    }

    /// What asks for its changes to be committed, or if there are none, for what it saw to be durable.
    func writing(id: [UInt8]?) -> CommitRequest.Action { changes.isEmpty ? .settle : .write(self, id: id) }

    private static let tooLarge = RecordError(offset: RecordLimits.fragmentBytesMax, reason: .lineTooLong)
}

/// The state at the end of a flush.
final class StateView: Sendable {
    let tree: TreeView
    let sequence: UInt64
    /// What has to be there as long as this is.
    private let kept: (any Sendable)?

    init(tree: TreeView, sequence: UInt64, keeping kept: (any Sendable)? = nil) {
        self.tree = tree
        self.sequence = sequence
        self.kept = kept
    }
}

extension Receipt {
    /// What a request gets that commits nothing.
    static let nothing = Receipt(sequence: 0, root: .zero, rootSequence: 0, durableSequence: 0)
}
