/// The order of measuring.
enum Rounds {
    /// Calls `body` for each round with each of `items`, so that noise of the machine hits all alike. Each round begins
    /// with another, so that none always follows the same.
    static func interleave<T>(_ rounds: Int, _ items: [T], _ body: (_ round: Int, T) throws -> Void) rethrows {
        for round in 0..<rounds {
            let shift = round % items.count
            for item in items[shift...] + items[..<shift] { try body(round, item) }
        }
    }
}
