import CommitLog
import SpecSupport

/// Something that happens to the files of a store behind its back.
enum Damage: CustomStringConvertible {
    /// These bits of these bytes are flipped.
    case flip(String, Range<Int>, UInt8)
    /// The file ends here.
    case cut(String, Int)
    case missing(String)
    /// What one file holds stands in the other as well, which need not have been there.
    case copy(String, over: String)
    case swap(String, String)
    /// The file is back at something that it held before; `nil` where it was not there yet.
    case older(String, [UInt8]?)

    typealias Files = [String: [UInt8]]

    /// What each file held over time, the newest last.
    struct Versions {
        private var contents: [String: [[UInt8]]] = [:]

        var names: [String] { contents.keys.sorted() }

        subscript(name: String) -> [[UInt8]] { contents[name] ?? [] }

        mutating func note(_ files: Files) {
            for (name, bytes) in files where contents[name]?.last != bytes { contents[name, default: []].append(bytes) }
        }
    }

    func done(to files: Files) -> Files {
        var files = files
        switch self {
        case .flip(let name, let range, let bits):
            for offset in range { files[name]![offset] ^= bits }
        case .cut(let name, let count): files[name]!.removeLast(files[name]!.count - count)
        case .missing(let name): files[name] = nil
        case .copy(let name, let target): files[target] = files[name]
        case .swap(let a, let b): (files[a], files[b]) = (files[b], files[a])
        case .older(let name, let bytes): files[name] = bytes
        }
        return files
    }

    var description: String {
        switch self {
        case .flip(let name, let range, let bits): "bits \(bits) flipped in bytes \(range) of \(name)"
        case .cut(let name, let count): "\(name) cut to \(count) bytes"
        case .missing(let name): "\(name) missing"
        case .copy(let name, let target): "\(name) copied over \(target)"
        case .swap(let a, let b): "\(a) and \(b) swapped"
        case .older(let name, let bytes): "\(name) as it was before, with \(bytes?.count ?? 0) bytes"
        }
    }

    /// The one segment of the log that is changed, if it is one and nothing else.
    var segment: String? {
        switch self {
        case .flip(let name, _, _), .cut(let name, _), .missing(let name): name.hasSuffix(".jsonl") ? name : nil
        default: nil
        }
    }

    /// Whether bits of the log or of `store.json` are flipped, all of which count.
    var isOfLog: Bool {
        if case .flip(let name, _, _) = self { name.hasSuffix(".jsonl") || name == LogNames.manifest } else { false }
    }

    /// For counting.
    var kind: String {
        switch self {
        case .flip: "flip"
        case .cut: "cut"
        case .missing: "missing"
        case .copy: "copy"
        case .swap: "swap"
        case .older: "older"
        }
    }
}

extension Damage {
    /// Names of files that a store may have, or have beside it.
    static let newNames = [
        "store.json.new", "log/next", LogNames.segment(9), "state.sqlite-wal", "state.sqlite-shm",
        "state.sqlite-journal", "state.sqlite.bad",
    ]
}

extension Choices {
    /// Any damage to these files, which held these contents before.
    mutating func damage(to files: Damage.Files, _ versions: Damage.Versions) -> Damage {
        let names = files.keys.sorted()
        let name = pick(names)
        let bytes = files[name]!
        switch below(10) {
        case 0...3 where !bytes.isEmpty:
            let start = offset(in: bytes)
            let count = pick(weighted: [(6, 1), (1, 2), (1, 16), (1, 512)])
            return .flip(name, start..<min(start + count, bytes.count), UInt8(int(in: 1...255)))
        case 4, 5: return .cut(name, bytes.isEmpty ? 0 : oneIn(4) ? below(bytes.count) / 512 * 512 : offset(in: bytes))
        case 6: return .missing(name)
        case 7: return .copy(name, over: pick(names.filter { $0 != name } + Damage.newNames))
        case 8 where names.count > 1: return .swap(name, pick(names.filter { $0 != name }))
        default:
            let name = pick(versions.names)
            return .older(name, pick(versions[name]))
        }
    }

    /// A place in a file, more often one where there is something.
    private mutating func offset(in bytes: [UInt8]) -> Int {
        let offset = below(bytes.count)
        guard !oneIn(4) else { return offset }
        return bytes[offset...].firstIndex { $0 != 0 } ?? bytes.firstIndex { $0 != 0 } ?? offset
    }
}
