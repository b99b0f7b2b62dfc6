// What the crash specs kill and let down: a store taken through a script, telling on standard output what is tried and
// how it ends. Usage: crash-subject PART FOLDER, where PART is `create`, `work`, `die` or `recover`, all on one thread,
// or `go-on SEED`, which ends when the store fails or the process is killed.

import CommitLog
import Rootfast
import SeededRandom

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Opens a store so that a thread other than this one never calls the system.
func openOnOneThread(_ path: String, creating: Bool) throws -> Store {
    let disk = try FileDisk(path: path, .exclusive, creating: creating)
    var environment = Environment.system()
    environment.usesThreads = false
    return try Store.open(disk, creating: creating, options: Subject.options, environment: environment)
}

func run(_ part: String, _ path: String) throws {
    switch part {
    case "create": try Subject(openOnOneThread(path, creating: true)).create()
    case "work": try Subject(openOnOneThread(path, creating: false)).work()
    case "die": try Subject(openOnOneThread(path, creating: false)).die()
    case "recover": try Subject(openOnOneThread(path, creating: false)).recover()
    default:
        let seed = UInt64(CommandLine.arguments[3])!
        let store = try Store.open(path, mode: .createIfMissing, options: Subject.options)
        try Subject(store).goOn(seed: seed)
    }
}

// All that the loader and the runtime do on the way here is no business of the specs.
tell("begin")
do {
    try run(CommandLine.arguments[1], CommandLine.arguments[2])
    tell("closed")
} catch let error as StoreError {
    tell("ended \(error.code)")
} catch let error as FileDisk.OpeningError {
    tell("ended \(error)")
} catch {
    tell("untyped \(error)")
}

/// Writes a line to standard output, whatever it takes.
func tell(_ line: String) {
    var bytes = Array((line + "\n").utf8)[...]
    while !bytes.isEmpty {
        let count = bytes.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        if count > 0 { bytes = bytes.dropFirst(count) }
    }
}
