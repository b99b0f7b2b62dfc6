import Foundation

/// What the disk can do at most for one writer: 700 bytes, as long as a commit in the log, over what stands in a file
/// that was filled with zeros and synced beforehand; then a sync. One after the other, with nothing else to do.
final class BareDisk {
    static let title = "overwrite + fdatasync"
    private static let length = 700
    private static let fileLength = 64 << 20
    private let file: SystemFile
    private let bytes = [UInt8](repeating: UInt8(ascii: "x"), count: length)
    private var offset = 0

    init(folder: String) throws {
        file = try SystemFile(folder + "/bare-disk", O_RDWR | O_CREAT)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for start in stride(from: 0, to: Self.fileLength, by: zeros.count) {
            try zeros.withUnsafeBytes { try file.write($0, at: start) }
        }
        try file.sync()
    }

    func writesPerSecond(for seconds: Double) throws -> Double {
        Quiet.wait()
        let start = Clock.now
        let end = start + UInt64(seconds * 1e9)
        var count = 0
        while Clock.now < end {
            if offset + Self.length > Self.fileLength { offset = 0 }
            try bytes.withUnsafeBytes { try file.write($0, at: offset) }
            try file.sync()
            offset += Self.length
            count += 1
        }
        return Double(count) / Clock.seconds(since: start)
    }
}
