import Foundation

/// How laws are tried. From the environment:
///
/// - `ROOTFAST_CASES`: `5000` cases of each law, or `x10` for ten times as many as it asks for, `x0.1` for a tenth.
/// - `ROOTFAST_SEED`: a number from which all cases follow. It is 1 if none is given, so that a test run can be repeated.
/// - `ROOTFAST_REPLAY`: `LAW: choices 3 0 17` or `LAW: seed 5` runs this case of the law and no other.
/// - `ROOTFAST_SHRINK`: tries to make a case that failed simpler at most so often; 0 where only whether is asked.
/// - `ROOTFAST_FAILURES`: a folder in which failures are noted, a file a law.
/// - `ROOTFAST_TRACE`: if set, each case's seed is printed before it is run: to find one that ends the process.
///
/// Cases in `Specs/Failures/LAW.txt`, one a line behind any comments (`#`), are tried before all others.
package struct LawSettings: Sendable {
    package enum CaseCount: Sendable {
        case times(Double)
        case exactly(Int)
    }

    package var caseCount = CaseCount.times(1)
    package static let usualSeed: UInt64 = 1
    package var seed = usualSeed
    /// The name of a law, and a case of it.
    package var replay: (law: String, line: String)?
    /// Where failures are noted.
    package var failuresFolder: String?
    /// Where failures of the past are found.
    package var savedFolder: String?
    package var isTraced = false
    /// At most so many cases are tried to find a simpler one that fails.
    package var shrinkRunCountMax = 3_000
    package var prints = true

    package init() {}

    package static let environment = LawSettings(environment: ProcessInfo.processInfo.environment)

    package init(environment: [String: String]) {
        if let text = environment["ROOTFAST_CASES"] {
            if text.hasPrefix("x"), let factor = Double(text.dropFirst()), factor > 0 {
                caseCount = .times(factor)
            } else if let number = Int(text), number > 0 {
                caseCount = .exactly(number)
            } else {
                fatalError("ROOTFAST_CASES is neither a number nor x and a number")
            }
        }
        if let text = environment["ROOTFAST_SEED"] {
            guard let number = UInt64(text) else { fatalError("ROOTFAST_SEED is not a number") }
            seed = number
        }
        if let text = environment["ROOTFAST_REPLAY"] {
            guard let colon = text.lastIndex(of: ":") else { fatalError("ROOTFAST_REPLAY is not LAW: CASE") }
            replay = (String(text[..<colon]), String(text[text.index(after: colon)...]))
        }
        if let text = environment["ROOTFAST_SHRINK"] {
            guard let number = Int(text), number >= 0 else { fatalError("ROOTFAST_SHRINK is not a number") }
            shrinkRunCountMax = number
        }
        failuresFolder = environment["ROOTFAST_FAILURES"]
        savedFolder = Self.specsFolder + "/Failures"
        isTraced = environment["ROOTFAST_TRACE"] != nil
    }

    private static let specsFolder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// How many cases there are where so many are asked for.
    package func caseCount(_ asked: Int) -> Int {
        switch caseCount {
        case .times(let factor): Int((Double(asked) * factor).rounded(.up))
        case .exactly(let count): count
        }
    }

    /// The cases of a law that failed in the past.
    func savedCases(of law: String) -> [SavedCase] {
        guard let savedFolder,
            let text = try? String(contentsOfFile: savedFolder + "/" + Self.fileName(law), encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            guard let saved = SavedCase(line) else { fatalError("not a case, in \(Self.fileName(law)): \(line)") }
            return saved
        }
    }

    func note(_ failure: LawFailure) {
        guard let failuresFolder, let shrunk = failure.shrunk else { return }
        let path = failuresFolder + "/" + Self.fileName(failure.law)
        let comment = "\(failure)".split(separator: "\n").map { "# \($0)\n" }.joined()
        try? FileManager.default.createDirectory(atPath: failuresFolder, withIntermediateDirectories: true)
        let before = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        do {
            try (before + comment + "\(shrunk)\n").write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            print("a failure could not be noted in \(path): \(error)")
        }
    }

    /// A law's name with nothing in it that a file's name should not have.
    static func fileName(_ law: String) -> String {
        String(law.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "-" }) + ".txt"
    }
}
