import CommitLog
import Glibc

/// The lines of a file, one at a time, in bounded memory whatever their length.
struct LineReader: ~Copyable {
    enum Line {
        case line([UInt8])
        /// Longer than `byteCountMax`; the rest of it is passed over, not kept.
        case tooLong
        case end
        /// Nothing whole is there yet, and the caller did not want to wait.
        case notYet
    }

    /// A record as the log has it, and some room for another spelling.
    static let byteCountMax = RecordLimits.lineBytesMax + (1 << 20)

    let file: InputFile
    /// The number of the line given last, from 1 on.
    private(set) var number = 0
    private var chunk = [UInt8](repeating: 0, count: 256 << 10)
    private var unread = 0..<0
    private var line: [UInt8] = []
    private var isPassingOver = false
    private var isAtEnd = false

    init(_ file: consuming InputFile) { self.file = file }

    /// The next line without its newline; the last one need not have one.
    mutating func next(waiting: Bool = true) throws -> Line {
        while true {
            if let found = takeLine() { return found }
            guard !isAtEnd else { return takeLast() }
            guard waiting || file.isReady else { return .notYet }
            let count = try chunk.withUnsafeMutableBytes { bytes in try file.read(into: bytes) }
            unread = 0..<count
            isAtEnd = count == 0
        }
    }

    /// Moves what is unread up to a newline into `line`; `nil` if there is no newline, or nothing to give for it.
    private mutating func takeLine() -> Line? {
        while !unread.isEmpty {
            let newline = endOfLine()
            let part = unread.lowerBound..<(newline ?? unread.upperBound)
            let isTooLong = !isPassingOver && line.count + part.count > Self.byteCountMax
            if !isPassingOver, !isTooLong { line += chunk[part] }
            unread = (newline.map { $0 + 1 } ?? unread.upperBound)..<unread.upperBound
            let wasPassedOver = isPassingOver
            if isTooLong {
                line = []
                isPassingOver = newline == nil
                number += 1
                return .tooLong
            }
            guard newline != nil else { return nil }
            isPassingOver = false
            if !wasPassedOver { return give() }
        }
        return nil
    }

    private func endOfLine() -> Int? {
        chunk.withUnsafeBytes { bytes in
            memchr(bytes.baseAddress! + unread.lowerBound, 0x0a, unread.count).map {
                UnsafeRawPointer($0) - bytes.baseAddress!
            }
        }
    }

    private mutating func takeLast() -> Line { line.isEmpty ? .end : give() }

    private mutating func give() -> Line {
        number += 1
        defer { line = [] }
        return .line(line)
    }
}

extension [UInt8] {
    /// Whether a line holds nothing but white space of JSON.
    var isBlank: Bool { allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d } }
}
