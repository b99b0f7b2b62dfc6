import ArgumentParser
import CommitLog
import Glibc
import StrictJSON

/// Keys and values as they are spelled on the command line: as in the log.
enum Spelling {
    /// A key: the text as it is, or behind a `$` base64.
    static func key(_ text: String) throws -> [UInt8] {
        let key = try bytes(text)
        guard (1...RecordLimits.keyBytesMax).contains(key.count) else {
            throw ValidationError("a key has 1 to \(RecordLimits.keyBytesMax) bytes, and this one \(key.count)")
        }
        return key
    }

    /// A bound of a scan: a key, or the empty text for no bound.
    static func bound(_ text: String) throws -> [UInt8] { try bytes(text) }

    /// A value: the text as it is, or behind a `$` or as `{"$base64":"…"}` base64.
    static func value(_ text: String) throws -> [UInt8] {
        let value = try base64Object(Array(text.utf8)) ?? bytes(text)
        guard value.count <= RecordLimits.valueBytesMax else {
            throw ValidationError(
                "a value has at most \(RecordLimits.valueBytesMax) bytes, and this one \(value.count)")
        }
        return value
    }

    private static func bytes(_ text: String) throws -> [UInt8] {
        guard let bytes = RecordText.key(Array(text.utf8)) else {
            throw ValidationError("behind $ stands base64, padded; spell a text that begins with $ as $ and its base64")
        }
        return bytes
    }

    /// The bytes of an object whose only key is `$base64`; `nil` for any other text, which is kept as it was given.
    private static func base64Object(_ text: [UInt8]) throws -> [UInt8]? {
        guard text.first == UInt8(ascii: "{"), var reader = try? JSONReader(text) else { return nil }
        try reader.beginObject()
        guard reader.nextKey() == Array("$base64".utf8), reader.kind == .string else { return nil }
        let string = try reader.readString()
        guard !reader.hasNext() else { return nil }
        guard let bytes = RecordText.key([UInt8(ascii: "$")] + string) else {
            throw ValidationError("behind $base64 stands base64, padded")
        }
        return bytes
    }

    /// A key for people: as in the log, quotes and all.
    static func shown(_ key: [UInt8]) -> String {
        var buffer = ByteBuffer()
        key.withUnsafeBytes { RecordText.appendKey($0, to: &buffer) }
        return String(decoding: buffer.bytes, as: UTF8.self)
    }

    /// Swift mends arguments that are not UTF-8, and so would store another key than the one given.
    static func requireUTF8Arguments() throws {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            guard UTF8Text.isValid(UnsafeRawBufferPointer(start: argument, count: strlen(argument))) else {
                throw ValidationError("Argument \(index) is not UTF-8: spell such bytes as $ and their base64.")
            }
        }
    }
}
