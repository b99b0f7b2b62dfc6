package import Hashing
import StrictJSON

/// `store.json`: which store this is and which segment is its newest.
///
/// ```
/// manifest = '{"store":"' uuid '","format":1,"segment":' integer [ ',"n":' integer ',"chain":"' digest '"' ] "}" newline
/// ```
/// `n` and `chain` are there after a clean close, and say where the log ends. The file is replaced atomically: a log
/// that falls short of it is damaged, never new.
package struct Manifest: Hashable, Sendable {
    package struct End: Hashable, Sendable {
        package var n: UInt64
        package var chain: Digest
        package init(n: UInt64, chain: Digest) {
            self.n = n
            self.chain = chain
        }
    }

    package var store: StoreID
    package var segment: UInt64
    package var closed: End?

    package init(store: StoreID, segment: UInt64, closed: End? = nil) {
        self.store = store
        self.segment = segment
        self.closed = closed
    }

    private static let bytesMax = 4096

    /// Reads `store.json`; `nil` if there is none.
    ///
    /// - Throws: `Failure.malformed` if it is not in its canonical form.
    package static func read(from disk: any Disk) throws(Failure) -> Manifest? {
        var bytes: [UInt8]
        do throws(DiskError) {
            guard let file = try disk.open(LogNames.manifest, .read) else { return nil }
            bytes = Array(repeating: 0, count: min(try file.byteCount(), bytesMax))
            try bytes.withUnsafeMutableBufferPointer { buffer throws(DiskError) in
                _ = try file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            }
        } catch {
            throw .disk(error)
        }
        do throws(RecordError) {
            return try bytes.withUnsafeBufferPointer { bytes throws(RecordError) in
                try parse(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            throw .malformed(error)
        }
    }

    package enum Failure: Error {
        case disk(DiskError)
        case malformed(RecordError)
    }

    private static func parse(_ bytes: UnsafeRawBufferPointer) throws(RecordError) -> Manifest {
        var cursor = LineCursor(bytes)
        try cursor.pass("{\"store\":\"")
        let store = try cursor.storeID()
        try cursor.pass("\",\"format\":")
        let format = try cursor.integer()
        guard format == SegmentHeader.formatKnown else { throw cursor.error(.unknownFormat(format)) }
        try cursor.pass(",\"segment\":")
        var manifest = Manifest(store: store, segment: try cursor.integer())
        if cursor.passes(",\"n\":") {
            let n = try cursor.integer()
            try cursor.pass(",\"chain\":\"")
            manifest.closed = End(n: n, chain: try cursor.digest())
            try cursor.pass("\"")
        }
        try cursor.pass("}\n")
        try cursor.requireEnd()
        return manifest
    }

    /// Replaces `store.json` atomically and durably.
    package func write(to disk: any Disk) throws(DiskError) {
        try draft(on: disk)
        try install(on: disk)
    }

    /// Writes what `install` then puts in the place of `store.json`. Durable, and so far without effect.
    private func draft(on disk: any Disk) throws(DiskError) {
        var buffer = ByteBuffer(capacity: 256)
        buffer.append("{\"store\":\"")
        buffer.append(Array(store.description.utf8))
        buffer.append("\",\"format\":")
        buffer.appendDecimal(SegmentHeader.formatKnown)
        buffer.append(",\"segment\":")
        buffer.appendDecimal(segment)
        if let closed {
            buffer.append(",\"n\":")
            buffer.appendDecimal(closed.n)
            RecordEncoder.appendChain(closed.chain, to: &buffer)
        }
        buffer.append("}\n")
        try disk.remove(LogNames.manifestDraft)
        let file = try disk.open(LogNames.manifestDraft, .create)!
        try file.write(buffer.bytes, at: 0)
        try file.sync()
    }

    private func install(on disk: any Disk) throws(DiskError) {
        try disk.rename(LogNames.manifestDraft, to: LogNames.manifest)
        try disk.syncFolder("")
    }
}

extension LineCursor {
    fileprivate mutating func storeID() throws(RecordError) -> StoreID {
        let end = min(offset + StoreID.textCount, line.count)
        guard let store = StoreID(text: Array(line[offset..<end])) else { throw error(.malformedStoreID) }
        offset = end
        return store
    }
}
