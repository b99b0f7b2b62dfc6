import Rootfast

extension CopyReport {
    /// For people.
    var lines: [String] {
        ["store     \(uuid)", "sequence  \(sequence)", "root      \(root)", "keys      \(keyCount)"]
    }
}

extension Answer {
    mutating func describe(_ copy: CopyReport) {
        text("store", copy.uuid)
        number("sequence", copy.sequence)
        digest("root", copy.root)
        number("count", copy.keyCount)
    }
}

extension Output {
    /// Prints what a copy of a store holds.
    func print(_ copy: CopyReport, asJSON: Bool) throws {
        guard asJSON else {
            for line in copy.lines { try print(line) }
            return
        }
        var answer = Answer()
        answer.describe(copy)
        try print(answer)
    }
}
