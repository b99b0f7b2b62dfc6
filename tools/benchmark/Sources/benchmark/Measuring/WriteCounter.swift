import Foundation

/// Counts the bytes that are written to the device of a folder.
///
/// By whomever: nothing else may be writing there meanwhile. Where a folder has no device of its own that counts (an
/// overlay), it counts what this process made the system write, which leaves out the file system's own writes.
struct WriteCounter {
    enum Source: String, Codable {
        case device
        case process
    }

    let source: Source
    private let path: String
    private let start: Int

    /// Begins to count, once all that was written before is on the device.
    init(folder: String) {
        sync()
        let statistics = Self.deviceStatistics(folder)
        if let count = Self.sectorsWritten(statistics) {
            (source, path, start) = (.device, statistics, count)
        } else {
            (source, path) = (.process, "/proc/self/io")
            start = Self.bytesWrittenByProcess(path)
        }
    }

    /// What was written since, with all that is on its way.
    func bytes() -> Int {
        sync()
        switch source {
        case .device: return ((Self.sectorsWritten(path) ?? start) - start) * 512
        case .process: return Self.bytesWrittenByProcess(path) - start
        }
    }

    private static func deviceStatistics(_ folder: String) -> String {
        var information = stat()
        guard stat(folder, &information) == 0 else { return "" }
        let device = UInt64(information.st_dev)
        let major = device >> 8 & 0xfff | device >> 32 & ~0xfff
        let minor = device & 0xff | device >> 12 & ~0xff
        return "/sys/dev/block/\(major):\(minor)/stat"
    }

    /// The seventh number (the kernel's Documentation/block/stat.rst): sectors of 512 bytes, whatever the device's are.
    private static func sectorsWritten(_ path: String) -> Int? {
        guard let numbers = ProcText.read(path)?.split(whereSeparator: \.isWhitespace), numbers.count > 6 else {
            return nil
        }
        return Int(numbers[6])
    }

    private static func bytesWrittenByProcess(_ path: String) -> Int {
        ProcText.fields(path)["write_bytes"].flatMap(ProcText.number) ?? 0
    }
}
