import Foundation

/// What a run of the benchmark found, and on what.
struct Report {
    let machine: Machine
    let date: Date
    let plan: Plan
    let results: Results
    let ratios: [Ratio]

    init(_ results: Results, _ plan: Plan, machine: Machine, date: Date) {
        self.machine = machine
        self.date = date
        self.plan = plan
        self.results = results
        ratios = results.ratios(plan)
    }

    /// The ratios that there are not, and why.
    var skipped: [String: String] {
        let there = Set(ratios.map(\.key))
        let missing = Results.ratioKeys.filter { !there.contains($0) }
        let reasons = missing.map { ($0, results.skipped[$0] ?? "not asked for in this run") }
        return Dictionary(uniqueKeysWithValues: reasons)
    }
}
