// The manner of the C interfaces of RocksDB and LevelDB, which have a common ancestor.

extension EngineError {
    /// Calls a C function that reports an error as a string of its own making.
    static func check<R>(
        _ engine: String, free: (UnsafeMutableRawPointer) -> Void,
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) throws -> R {
        var message: UnsafeMutablePointer<CChar>?
        let result = body(&message)
        guard let message else { return result }
        defer { free(message) }
        throw EngineError(engine: engine, message: String(cString: message))
    }
}

extension UnsafeRawBufferPointer {
    var characters: UnsafePointer<CChar>? { baseAddress?.assumingMemoryBound(to: CChar.self) }
}
