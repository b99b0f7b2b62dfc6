import Rootfast
import SeededRandom

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A store that is taken through a script, step by step.
///
/// Before each step it tells what it tries, in words between tabs: `commit ID KEY=VALUE…`, `vote ID KEY=VALUE…`,
/// `decide ID commit`, `decide ID abort`, or `do WORK` for what leaves the content as it is. After it, how it ended:
/// `ok`, `refused CODE` if nothing was done, `unknown` if nobody can say.
struct Subject {
    /// Segments of a few commits, and nothing kept that can go.
    static var options: Options {
        var options = Options()
        options.maintainsItself = false
        options.memoryBytesMax = 1 << 20
        options.segmentBytesMax = 8192
        options.attemptsMax = 2
        options.compaction = .none
        options.retention.grace = .zero
        options.retention.snapshots = .init(count: 1)
        options.retention.segments = .init(count: 0)
        return options
    }

    private let store: Store

    init(_ store: Store) { self.store = store }

    // MARK: - Scripts

    func create() throws {
        commit("c1")
        commit("c2")
        try store.close()
    }

    func work() throws {
        workWithoutClosing()
        try store.close()
    }

    /// The same, and then a last commit, and an end without warning.
    func die() {
        workWithoutClosing()
        commit("last")
        kill(getpid(), SIGKILL)
    }

    /// Goes on where `die` ended.
    func recover() throws {
        commit("r1")
        decide("v4", commits: true)
        work("compaction") { _ = try $0.compact() }
        commit("r2")
        try store.close()
    }

    private func workWithoutClosing() {
        commit("w1")
        vote("v1")
        vote("v2")
        commit("w2", byteCount: 3000)
        decide("v1", commits: true)
        work("snapshot") { _ = try $0.takeSnapshot() }
        // More than is left of the segment.
        commit("w3", byteCount: 6000)
        decide("v2", commits: false)
        vote("v3")
        work("compaction") { _ = try $0.compact() }
        commit("w4")
        decide("v3", commits: true)
        vote("v4")
        work("seal") { try $0.seal() }
        commit("w5", byteCount: 1000)
        work("snapshot") { _ = try $0.takeSnapshot() }
        work("retention") { _ = try $0.retain() }
        commit("w6")
    }

    /// Steps by chance, until one fails. What a process before left in doubt is decided first.
    func goOn(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var isSound = true
        for transaction in try store.inDoubt() {
            isSound = isSound && decide(transaction.id, commits: random.next() % 2 == 0)
        }
        var voted: [String] = []
        var number = 0
        while isSound {
            number += 1
            let id = "s\(seed)-\(number)"
            switch random.next() % 16 {
            case 0: isSound = work("snapshot") { _ = try $0.takeSnapshot() }
            case 1: isSound = work("compaction") { _ = try $0.compact() }
            case 2: isSound = work("seal") { try $0.seal() }
            case 3, 4:
                isSound = vote(id)
                voted.append(id)
            case 5 where !voted.isEmpty, 6 where !voted.isEmpty:
                isSound = decide(voted.removeFirst(), commits: random.next() % 2 == 0)
            default: isSound = commit(id, byteCount: Int(random.next() % 1500))
            }
        }
        try store.close()
    }

    // MARK: - Steps

    /// Sets three keys of which many commits set the same.
    @discardableResult
    private func commit(_ id: String, byteCount: Int = 40) -> Bool {
        let value = id + String(repeating: ".", count: byteCount)
        let changes = [("key \(byteCount % 7)", value), ("last", id), ("of \(id.suffix(1))", id)]
        return step("commit\t\(id)\(Self.telling(changes))") {
            try store.write(id: id) { tx in for (key, value) in changes { try tx.put(key, value) } }
        }
    }

    /// Votes for keys that no other transaction touches.
    @discardableResult
    private func vote(_ id: String) -> Bool {
        let changes = [("of \(id), a", id), ("of \(id), b", id)]
        return step("vote\t\(id)\(Self.telling(changes))") {
            _ = try store.prepare(id) { tx in for (key, value) in changes { try tx.put(key, value) } }
        }
    }

    @discardableResult
    private func decide(_ id: String, commits: Bool) -> Bool {
        step("decide\t\(id)\t\(commits ? "commit" : "abort")") {
            if commits { try store.commit(id) } else { try store.abort(id) }
        }
    }

    @discardableResult
    private func work(_ name: String, _ body: (Maintenance) throws -> Void) -> Bool {
        step("do\t\(name)") { try body(store.maintenance) }
    }

    private static func telling(_ changes: [(key: String, value: String)]) -> String {
        changes.map { "\t\($0.key)=\($0.value)" }.joined()
    }

    /// Whether it succeeded.
    private func step(_ what: String, _ body: () throws -> Void) -> Bool {
        tell(what)
        do {
            try body()
            tell("ok")
            return true
        } catch let error as StoreError where error.code == .outcomeUnknown {
            tell("unknown")
        } catch let error as StoreError {
            tell("refused\t\(error.code)")
        } catch {
            tell("untyped \(error)")
        }
        return false
    }
}
