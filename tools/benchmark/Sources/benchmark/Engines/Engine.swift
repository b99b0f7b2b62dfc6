/// A store under measurement, opened in a folder of its own.
protocol Engine: AnyObject, Sendable {
    /// What one thread uses to write and read.
    func makeSession() throws -> any Session
    /// Goes through all entries in the order of their keys.
    func scan() throws -> ScanSum
    /// Hands over to the system all that was acknowledged: from then on it survives the end of the process.
    func flush() throws
    /// Waits for what is under way, and closes the store.
    func close() throws
}

/// One thread's access to an engine.
protocol Session: AnyObject {
    /// Commits a batch, and returns when it is as durable as the mode of the engine says.
    func commit(_ batch: Batch) throws
    /// Copies the value of a key, as of the session's first `get`, to a buffer of its length; false if there is none.
    func get(_ key: UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) throws -> Bool
}

/// What a scan saw: it reads the first word of each key and value, so that none is skipped.
struct ScanSum: Equatable {
    private(set) var count = 0
    private(set) var sum: UInt64 = 0

    @inline(__always)
    mutating func add(_ key: UnsafeRawPointer, _ value: UnsafeRawPointer) {
        count += 1
        sum &+= key.loadUnaligned(as: UInt64.self) ^ value.loadUnaligned(as: UInt64.self)
    }
}

/// What an engine reported in place of doing what it was told.
struct EngineError: Error, CustomStringConvertible {
    let engine: String
    let message: String
    var description: String { "\(engine): \(message)" }
}
