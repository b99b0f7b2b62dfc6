/// When a commit is acknowledged, and when it becomes durable.
///
/// Whatever the choice, commits become durable in their order: a crash loses a suffix, never one in the middle.
public enum Durability: Hashable, Sendable {
    /// Acknowledged when applied. It becomes durable when memory for the log runs out, with a later commit that is to
    /// be durable earlier, with `flush()`, or when the store is closed. For bulk loads.
    case none
    /// Acknowledged when applied. Writing it to the disk begins within the interval.
    case async(interval: Duration)
    /// Acknowledged when durable.
    case sync

    /// The one that promises more.
    static func stronger(_ a: Durability, _ b: Durability) -> Durability {
        switch (a, b) {
        case (.sync, _), (_, .sync): .sync
        case (.none, let other), (let other, .none): other
        case (.async(let a), .async(let b)): .async(interval: min(a, b))
        }
    }
}
