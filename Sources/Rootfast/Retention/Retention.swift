/// How long snapshots and segments of the log are kept.
///
/// What goes beyond a limit is first *deprecated*: still there, and taken back by `undeprecate`. After `grace` it is
/// *reclaimed*, like what was deprecated by hand. Whatever the limits, nothing goes that recovery, a view, a backup or a
/// transaction in doubt needs: the two newest verified snapshots and the log since the older of them stay.
public struct Retention: Hashable, Sendable {
    /// What is kept is within every limit that is set.
    public struct Limits: Hashable, Sendable {
        /// No older than this.
        public var age: Duration?
        /// The newest, as many as take no more than this together. Of snapshots: the pages that each added.
        public var byteCount: Int?
        /// The newest, as many as this.
        public var count: Int?
        /// Those with a commit among the newest so many.
        public var commitCount: UInt64?

        /// No limit.
        public init(age: Duration? = nil, byteCount: Int? = nil, count: Int? = nil, commitCount: UInt64? = nil) {
            self.age = age
            self.byteCount = byteCount
            self.count = count
            self.commitCount = commitCount
        }
    }

    public var snapshots = Limits(count: 2)
    public var segments = Limits(byteCount: 1 << 30)
    public var grace = Duration.seconds(60)

    public init() {}
}

/// Something that retention decides on.
public enum RetentionItem: Hashable, Sendable {
    /// A snapshot, by its id.
    case snapshot(UInt64)
    /// A sealed segment of the log, by its number.
    case segment(UInt64)
}

extension RetentionItem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .snapshot(let id): "snapshot \(id)"
        case .segment(let number): "segment \(number)"
        }
    }
}

/// What retention does, or would do, with an item, and why.
public struct RetentionDecision: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        case keep
        case deprecate
        /// It is deprecated, and its grace time is not over.
        case wait
        case reclaim
    }

    public var item: RetentionItem
    /// The file it is, or is in, relative to the store's folder.
    public var file: String
    /// The bytes that it takes; of a snapshot those of the pages that it added, some of which others may need.
    public var byteCount: Int
    public var action: Action
    public var reason: String
    /// Whether it was deprecated by limits that it is within again.
    var isTakenBack = false
}
