// What the crash specs kill: a store that writes, takes a snapshot, reclaims and writes on, all on one thread, telling
// on standard output what it was promised. Usage: crash-subject FOLDER FIRST
//
// Commit number `i` sets `key i%50` and `last` to `i`.

import Glibc
import Rootfast

func tell(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
}

var options = Options()
options.maintainsItself = false
options.memoryBytesMax = 1 << 20
options.retention.grace = .zero
options.retention.segments = .init(count: 0)
options.segmentBytesMax = 16 << 10

/// Writes and maintains one store.
struct Subject {
    let store: Store
    var next: Int

    mutating func commit(_ count: Int) throws {
        for _ in 0..<count {
            let number = next
            try store.write { tx in
                try tx.put("key \(number % 50)", "\(number)")
                try tx.put("last", "\(number)")
            }
            tell("ack \(number)")
            next += 1
        }
    }

    /// Runs a part of maintenance. It may fail for lack of room, but must leave the store able to write.
    mutating func attempt(_ name: String, _ body: (Maintenance) throws -> Void) throws {
        do {
            try body(store.maintenance)
            tell("done \(name)")
        } catch let error as StoreError {
            tell("failed \(name) \(error.code)")
            guard error.code == .noSpace else { return }
            do { try commit(1) } catch { tell("stuck \(error)") }
        }
    }

    mutating func run() throws {
        try commit(4)
        try attempt("snapshot") { try $0.takeSnapshot() }
        try commit(4)
        try attempt("compaction") { try $0.compact() }
        try commit(2)
        try attempt("retention") { try $0.retain() }
        try commit(2)
        try store.close()
        tell("closed")
    }
}

do {
    let store = try Store.open(CommandLine.arguments[1], mode: .createIfMissing, options: options)
    var subject = Subject(store: store, next: Int(CommandLine.arguments[2])!)
    try subject.run()
} catch {
    tell("ended \(error)")
}
