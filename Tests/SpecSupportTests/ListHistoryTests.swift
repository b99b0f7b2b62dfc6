import SpecSupport
import Testing

/// The search for anomalies that the isolation specs stand on: it finds and names each, and nothing where there is none.
@Suite struct ListHistoryTests {
    /// A transaction in short: `ax1 ry23` appends 1 to x and reads 2, 3 in y; `!` behind it: it had no effect.
    private static func transaction(_ text: String, began: Int = 0, ended: Int = .max) -> ListHistory.Transaction {
        let operations = text.filter { $0 != "!" }.split(separator: " ").map { word -> ListHistory.Operation in
            let key = String(word.dropFirst().prefix(1))
            let numbers = word.dropFirst(2).map { Int(String($0))! }
            return word.first == "a" ? .append(key: key, number: numbers[0]) : .read(key: key, list: numbers)
        }
        return .init(operations, isCommitted: !text.hasSuffix("!"), began: began, ended: ended)
    }

    /// What is found in transactions that all overlap.
    private static func found(_ texts: [String]) -> Set<Anomaly.Kind> {
        let anomalies = ListHistory(texts.map { transaction($0) }).anomalies
        #expect(anomalies.allSatisfy { !$0.isOfTime })
        return Set(anomalies.map(\.kind))
    }

    /// What is found in transactions one after the other.
    private static func foundInTime(_ texts: [String]) -> [Anomaly] {
        ListHistory(texts.enumerated().map { transaction($1, began: 2 * $0, ended: 2 * $0 + 1) }).anomalies
    }

    @Test(arguments: [
        ["ax1", "rx1 ax2", "rx12 ry", "ay3 rx12", "rx ry"], ["ax1 ax2 rx12", "rx12 ay3!", "ry"], ["rx ax1 rx1"],
        ["ax1 ay2", "ax3 ay4", "rx13 ry24"], [],
    ])
    func `nothing is found in a history that an order explains`(texts: [String]) {
        #expect(Self.found(texts).isEmpty)
    }

    @Test(arguments: [
        (Anomaly.Kind.g0, ["ax1 ay2", "ax3 ay4", "rx13", "ry42"]), (.g1a, ["ax1!", "rx1"]), (.g1b, ["ax1 ax2", "rx1"]),
        (.g1c, ["ax1 ry2", "ay2 rx1"]), (.gSingle, ["rx ry2", "ax1 ay2", "rx1"]),
        (.gSingle, ["rx ax1", "rx ax2", "rx2"]),
        (.g2, ["rx ay1", "ry ax2", "rx2 ry1"]), (.g2, ["rx ay1", "ry ax2"]), (.g2, ["rx ay1", "ry az2", "rz ax3"]),
        (.internalRead, ["ax1 rx"]), (.internalRead, ["rx rx1", "ax1"]), (.strayNumber, ["ax1", "rx11"]),
        (.strayNumber, ["rx7"]), (.incompatibleOrder, ["ax1", "ax2", "rx12", "rx21"]),
    ])
    func `each anomaly is found and named`(kind: Anomaly.Kind, texts: [String]) {
        #expect(Self.found(texts).contains(kind), "\(ListHistory(texts.map { Self.transaction($0) }).anomalies)")
    }

    @Test func `a cycle has its own name and not that of a greater one`() {
        #expect(Self.found(["ax1 ry2", "ay2 rx1"]) == [.g1c])
        #expect(Self.found(["rx ry2", "ax1 ay2", "rx1"]) == [.gSingle])
        #expect(Self.found(["rx ay1", "ry ax2", "rx2 ry1"]) == [.g2])
    }

    @Test func `who reads what was there before a commit that has ended is found by the order in time`() {
        #expect(Self.found(["ax1", "rx", "rx1"]).isEmpty)
        let stale = Self.foundInTime(["ax1", "rx", "rx1"])
        #expect(stale.map(\.kind) == [.gSingle] && stale.allSatisfy(\.isOfTime))
        let early = Self.foundInTime(["rx1", "ax1"])
        #expect(early.map(\.kind) == [.g1c] && early.allSatisfy(\.isOfTime))
        let skewed = Self.foundInTime(["rx ay1", "rz ax2", "ry az3"])
        #expect(!skewed.isEmpty)
        #expect(Self.foundInTime(["ax1", "rx1 ax2", "rx12"]).isEmpty)
    }

    @Test func `what is lost without a trace is found by the order in time`() {
        #expect(Self.foundInTime(["ax1", "ax2", "rx2"]).map(\.kind).contains(.g0))
        #expect(Self.foundInTime(["ax1", "rx"]).map(\.kind) == [.gSingle])
    }

    @Test func `in small histories cycles are found if and only if no order explains what was read`() throws {
        try checkLaw(
            "cycles are what no order explains", cases: 20_000,
            reaching: [
                "explained": 3_000, "not explained": 2_000, "G-single": 300, "G2": 100,
                "G0 in time": 300, "G1c in time": 300, "G-single in time": 300,
            ]
        ) { choices, reach in
            let history = Self.smallHistory(&choices)
            choices.note("\(history.transactions)")
            let isExplained = Self.isExplained(history)
            let anomalies = history.anomalies
            choices.note("\(anomalies)")
            reach.count(isExplained ? "explained" : "not explained")
            for anomaly in anomalies { reach.count(anomaly.kind.rawValue + (anomaly.isOfTime ? " in time" : "")) }
            try expectEqual(anomalies.isEmpty, isExplained)
        }
    }

    /// Two to five transactions that act one after the other on what is there, each on its own view or on the newest, and
    /// one that reads all at the end. So many, but not all, of what is read has an order.
    private static func smallHistory(_ choices: inout Choices) -> ListHistory {
        var lists: [String: [Int]] = ["x": [], "y": []]
        var number = 0
        var past = [lists]
        var transactions = choices.array(2...5) { choices -> ListHistory.Transaction in
            var seen = choices.oneIn(3) ? lists : choices.pick(past)
            let operations = choices.array(1...3) { choices -> ListHistory.Operation in
                let key = choices.pick(["x", "y"])
                guard choices.bool() else { return .read(key: key, list: seen[key]!) }
                number += 1
                lists[key]!.append(number)
                seen[key]!.append(number)
                return .append(key: key, number: number)
            }
            past.append(lists)
            let began = choices.below(20)
            return .init(operations, began: 2 * began, ended: 2 * (began + choices.below(20)) + 1)
        }
        transactions.append(
            .init([.read(key: "x", list: lists["x"]!), .read(key: "y", list: lists["y"]!)], began: 100, ended: 101))
        return ListHistory(transactions)
    }

    /// Whether some order of the transactions that respects time explains all reads: tries every one.
    private static func isExplained(_ history: ListHistory) -> Bool {
        func goOn(_ rest: [ListHistory.Transaction], _ lists: [String: [Int]]) -> Bool {
            if rest.isEmpty { return true }
            return rest.indices.contains { index in
                guard rest.allSatisfy({ $0.ended >= rest[index].began }) else { return false }
                var lists = lists
                for operation in rest[index].operations {
                    switch operation {
                    case .append(let key, let number): lists[key, default: []].append(number)
                    case .read(let key, let list): if lists[key, default: []] != list { return false }
                    }
                }
                var others = rest
                others.remove(at: index)
                return goOn(others, lists)
            }
        }
        return goOn(history.transactions, [:])
    }
}
