import SeededRandom

/// Tries a law on many random cases, and on those that failed in the past.
///
/// ```
/// try checkLaw("sorting sorts", cases: 500, reaching: ["equal neighbours": 20]) { choices, reach in
///     let numbers = choices.array(0...20) { $0.below(10) }.sorted()
///     choices.note("\(numbers)")
///     for (a, b) in zip(numbers, numbers.dropFirst()) {
///         try expect(a <= b, "\(a) before \(b)")
///         if a == b { reach.count("equal neighbours") }
///     }
/// }
/// ```
/// The law holds for a case unless it throws. What it needs of chance it takes from its choices only. A case that fails
/// is shrunk. `reaching` is what must be counted how often for the law to have said anything: a fifth of it where the seed
/// is not the usual one, for which it was measured, and nothing of a run with fewer cases than `cases`. See `LawSettings` for what the environment sets.
///
/// - Returns: what was reached, which is printed in one line as well.
@discardableResult
package func checkLaw(
    _ name: String, cases: Int, reaching: [String: Int] = [:], settings: LawSettings = .environment,
    _ law: @escaping (inout Choices, inout Reach) throws -> Void
) throws(LawFailure) -> Reach {
    var trial = Trial(name, settings, law)
    if let replay = settings.replay, replay.law == name {
        guard let saved = SavedCase(replay.line) else { fatalError("not a case: \(replay.line)") }
        try trial.run(saved)
        trial.report("replayed")
        return trial.reach
    }
    for saved in settings.savedCases(of: name) { try trial.run(saved) }
    let count = settings.caseCount(cases)
    var seeds = SeededGenerator(
        seed: settings.seed
            ^ name.utf8.reduce(14_695_981_039_346_656_037) {
                ($0 ^ UInt64($1)) &* 1_099_511_628_211
            })
    for _ in 0..<count { try trial.run(.seed(seeds.next())) }
    trial.report("seed \(settings.seed)")
    if count >= cases {
        let isUsual = settings.seed == LawSettings.usualSeed
        try trial.require(isUsual ? reaching : reaching.mapValues { max(1, $0 / 5) })
    }
    return trial.reach
}

/// Tries a law on every case there is, one sequence of choices after the other, or on the first `casesMax` of them.
///
/// - Returns: how many there were, whether these were all, and what was reached.
@discardableResult
package func checkEveryCase(
    _ name: String, casesMax: Int, reaching: [String: Int] = [:], settings: LawSettings = .environment,
    _ law: @escaping (inout Choices, inout Reach) throws -> Void
) throws(LawFailure) -> (count: Int, isAll: Bool, reach: Reach) {
    var trial = Trial(name, settings, law)
    var next: [UInt64]? = []
    while let values = next, trial.count < casesMax {
        next = successor(of: try trial.run(.choices(values)))
    }
    trial.report(next == nil ? "all there are" : "not all there are")
    try trial.require(reaching)
    return (trial.count, next == nil, trial.reach)
}

/// The choices after these, in the order of an odometer whose wheels are the maxima: the last that can be raised
/// is, and those behind it begin anew.
private func successor(of made: [Choice]) -> [UInt64]? {
    guard let index = made.lastIndex(where: { $0.value < $0.max }) else { return nil }
    return made[..<index].map(\.value) + [made[index].value + 1]
}

/// The cases of one law, one after the other.
private struct Trial {
    let name: String
    let settings: LawSettings
    let law: (inout Choices, inout Reach) throws -> Void
    private(set) var count = 0
    private(set) var reach = Reach()

    init(
        _ name: String, _ settings: LawSettings, _ law: @escaping (inout Choices, inout Reach) throws -> Void
    ) {
        self.name = name
        self.settings = settings
        self.law = law
    }

    /// Runs a case. Returns the choices that it made.
    @discardableResult
    mutating func run(_ saved: SavedCase) throws(LawFailure) -> [Choice] {
        if settings.isTraced { print("law: \(name) | \(saved)") }
        count += 1
        let run = CaseRun(saved.fresh, reach: &reach, law)
        if let error = run.error {
            if settings.isTraced { print("law: \(name) | fails, to be shrunk: \(error)") }
            throw failure(run, saved)
        }
        return run.made
    }

    private func failure(_ run: CaseRun, _ saved: SavedCase) -> LawFailure {
        var elsewhere = Reach()
        var shrinker = Shrinker(run, runCountMax: settings.shrinkRunCountMax) { [law] values in
            CaseRun(Choices(replaying: values), reach: &elsewhere, law)
        }
        shrinker.shrink()
        let best = shrinker.best
        let told = CaseRun(Choices(replaying: best.values, keepsNotes: true), reach: &elsewhere, law)
        let failure = LawFailure(
            law: name, reason: told.error.map { "\($0)" } ?? "only sometimes: \(best.error!)", notes: told.notes,
            history:
                "case \(count), of \(run.made.count) choices shrunk to \(best.made.count) in \(shrinker.runCount) runs:",
            shrunk: .choices(best.values), met: saved)
        settings.note(failure)
        return failure
    }

    func report(_ how: String) {
        guard settings.prints else { return }
        reach.report(name, "\(how) | cases \(count)")
    }

    func require(_ reaching: [String: Int]) throws(LawFailure) {
        let missing = reaching.filter { reach[$0.key] < $0.value }.sorted { $0.key < $1.key }
        guard !missing.isEmpty else { return }
        let wanted = missing.map { "\"\($0.key)\" \(reach[$0.key]) times of \($0.value)" }.joined(separator: ", ")
        throw LawFailure(
            law: name, reason: "it did not reach what it claims to: \(wanted)", notes: [],
            history: "in \(count) cases", shrunk: nil, met: nil)
    }
}
