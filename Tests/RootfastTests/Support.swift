import CommitLog
import Hashing
import Rootfast
import SpecSupport
import StateTree
import Testing

extension Store {
    /// A store on a simulated disk.
    static func simulated(
        _ disk: SimulatedDisk, creating: Bool = false, segmentBytesMax: Int = 64 << 20,
        durability: Durability = .sync, usesThreads: Bool = false
    ) throws -> Store {
        var options = Options()
        options.segmentBytesMax = segmentBytesMax
        options.attemptsMax = 3
        options.durability = durability
        var environment = Environment.deterministic()
        environment.usesThreads = usesThreads
        return try Store.open(disk, creating: creating, options: options, environment: environment)
    }

    static func checking(_ disk: SimulatedDisk) throws -> CheckReport {
        try Store.check(disk, isBeingWritten: false, .deterministic())
    }
}

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The root over a view's entries, by the definition alone.
func definedRoot(_ view: View) throws -> Digest {
    var builder = RootBuilder()
    try view.scan { key, value in
        builder.add(key: key, value: value)
        return true
    }
    return builder.root()
}

extension SimulatedDisk {
    /// This disk's files with one of them changed.
    func changing(_ name: String, _ edit: (inout [UInt8]) -> Void) -> SimulatedDisk {
        var files = self.files
        edit(&files[name]!)
        return SimulatedDisk(files: files)
    }

    func removing(_ name: String) -> SimulatedDisk {
        var files = self.files
        files[name] = nil
        return SimulatedDisk(files: files)
    }
}

/// Expects an error with this code.
func expectError(_ code: StoreError.Code, at location: SourceLocation = #_sourceLocation, _ body: () throws -> Void) {
    do {
        try body()
        Issue.record("no error was thrown", sourceLocation: location)
    } catch let error as StoreError {
        #expect(error.code == code, sourceLocation: location)
    } catch {
        Issue.record(error, sourceLocation: location)
    }
}
