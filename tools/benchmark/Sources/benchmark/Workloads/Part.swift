/// The parts of the benchmark that can be run alone.
enum Part: String, CaseIterable {
    case memory
    case written
    case durable
    case get
    case scan
    case async
    case flat
    case beyond
    case reopen
    case journaled

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
