/// The sets of nodes, of two or more, in which each leads to each other. Tarjan's algorithm (1972) with a stack of its
/// own, so that long chains do not exhaust the thread's.
func stronglyConnectedComponents(of successors: [[Int]]) -> [[Int]] {
    var search = ComponentSearch(successors)
    for node in successors.indices where search.isNew(node) { search.visit(node) }
    return search.components
}

private struct ComponentSearch {
    private let successors: [[Int]]
    /// When a node was met; 0 for not yet.
    private var number: [Int]
    /// The earliest node on `open` that it leads to.
    private var lowest: [Int]
    private var isOpen: [Bool]
    private var open: [Int] = []
    private var count = 0
    private(set) var components: [[Int]] = []

    init(_ successors: [[Int]]) {
        self.successors = successors
        number = Array(repeating: 0, count: successors.count)
        lowest = number
        isOpen = Array(repeating: false, count: successors.count)
    }

    func isNew(_ node: Int) -> Bool { number[node] == 0 }

    mutating func visit(_ root: Int) {
        var path = [(node: root, next: 0)]
        meet(root)
        while let (node, next) = path.last {
            if next < successors[node].count {
                path[path.count - 1].next += 1
                let successor = successors[node][next]
                if isNew(successor) {
                    meet(successor)
                    path.append((successor, 0))
                } else if isOpen[successor] {
                    lowest[node] = min(lowest[node], number[successor])
                }
                continue
            }
            path.removeLast()
            if let before = path.last?.node { lowest[before] = min(lowest[before], lowest[node]) }
            if lowest[node] == number[node] { close(node) }
        }
    }

    private mutating func meet(_ node: Int) {
        count += 1
        number[node] = count
        lowest[node] = count
        isOpen[node] = true
        open.append(node)
    }

    private mutating func close(_ root: Int) {
        let start = open.lastIndex(of: root)!
        let component = Array(open[start...])
        open.removeSubrange(start...)
        for node in component { isOpen[node] = false }
        if component.count > 1 { components.append(component) }
    }
}
