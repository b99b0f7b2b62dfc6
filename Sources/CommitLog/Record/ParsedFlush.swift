import StrictJSON

/// The records of the lines parsed so far, in order: storage to use again, flush after flush.
///
/// What it holds points into the lines and into scratch memory of its own, for what is not spelled in the line
/// as it is (strings with escapes, base64). Both stay where they are until `removeAll()`.
package final class ParsedFlush {
    /// One property, so that the parser asks for access once a line.
    var storage = Storage()

    package var records: [ParsedRecord] { storage.records }
    package var changes: [ParsedChange] { storage.changes }
    package var reads: [ParsedRead] { storage.reads }

    package init() {}

    /// Copies lines that are to be parsed, so that they stay where they are; once between `removeAll`s.
    func keep(_ lines: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        precondition(storage.lines.isEmpty)
        storage.lines.append(lines)
        return storage.lines.bytes
    }

    /// Forgets everything, and keeps memory for the next flush.
    package func removeAll() { storage.removeAll() }

    struct Storage: ~Copyable {
        var records: [ParsedRecord] = []
        var changes: [ParsedChange] = []
        var reads: [ParsedRead] = []
        var scratch = ScratchMemory()
        var lines = ByteBuffer()

        mutating func removeAll() {
            records.removeAll(keepingCapacity: true)
            changes.removeAll(keepingCapacity: true)
            reads.removeAll(keepingCapacity: true)
            scratch.removeAll()
            lines.removeAll(keepingCapacity: true)
        }

        /// Forgets what came after so many changes and reads: a line that failed has appended no record.
        mutating func truncate(changesCount: Int, readsCount: Int) {
            changes.removeSubrange(changesCount...)
            reads.removeSubrange(readsCount...)
        }
    }
}
