/// The outcomes of transactions with an id of their own, the newest `countMax` of them.
struct OutcomeTable {
    private let countMax: Int
    private var outcomes: [[UInt8]: Outcome] = [:]
    /// The ids in the order in which they were decided, from `head` on.
    private var order: [[UInt8]] = []
    private var head = 0

    init(countMax: Int) { self.countMax = countMax }

    subscript(id: [UInt8]) -> Outcome? { outcomes[id] }

    var count: Int { outcomes.count }

    mutating func record(_ id: [UInt8], _ outcome: Outcome) {
        outcomes[id] = outcome
        order.append(id)
    }

    /// Takes the last `record` back.
    mutating func forgetLast() {
        if let id = order.popLast() { outcomes[id] = nil }
    }

    /// Lets go of what is older than is kept. Not part of `record`, so that `forgetLast` finds what it takes back.
    mutating func trim() {
        while order.count - head > countMax {
            outcomes[order[head]] = nil
            head += 1
        }
        if head > 1024, head * 2 > order.count {
            order.removeFirst(head)
            head = 0
        }
    }
}
