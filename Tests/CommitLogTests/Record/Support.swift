import CommitLog
import SpecSupport

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// Why a line is refused; `nil` if it is accepted.
func refusal(_ line: [UInt8]) -> RecordError? {
    do throws(RecordError) {
        _ = try RecordSample(line: line)
        return nil
    } catch {
        return error
    }
}

extension FlushEnd {
    /// `sample`, as a line says it.
    static let sampleText =
        #","root":"\#(String(repeating: "0123456789abcdef", count: 4))","synced":410,"#
        + #""chain":"\#(String(repeating: "fedcba9876543210", count: 4))","crc":"0102abcd""#
}
