import CommitLog
import Rootfast
import StrictJSON

/// A JSON object to print, member by member, in the order in which they are given. A `nil` is left out.
struct Answer: ~Copyable {
    private var buffer = ByteBuffer(capacity: 256)
    private var isEmpty = true

    /// An answer to `--json`: begins with the version of its schema.
    init() {
        buffer.append("{")
        number("schema", 1)
    }

    private init(nestedIn buffer: consuming ByteBuffer) {
        self.buffer = buffer
        self.buffer.append("{")
    }

    /// A line of data, such as one of `scan`: without a schema.
    init(entry key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ scanner: inout JSONScanner) {
        buffer.append("{")
        self.key("key", key)
        self.value("value", value, &scanner)
    }

    /// A line of `diff`: a `nil` is no value.
    init(
        change key: UnsafeRawBufferPointer, from old: UnsafeRawBufferPointer?, to new: UnsafeRawBufferPointer?,
        _ scanner: inout JSONScanner
    ) {
        buffer.append("{")
        self.key("key", key)
        if let old { value("old", old, &scanner) }
        if let new { value("new", new, &scanner) }
    }

    /// The object, closed.
    var bytes: [UInt8] { Array(buffer.bytes) + [UInt8(ascii: "}")] }

    // MARK: Members

    mutating func text(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        begin(name)
        Self.append(text, to: &buffer)
    }

    mutating func number(_ name: StaticString, _ number: UInt64?) {
        guard let number else { return }
        begin(name)
        buffer.appendDecimal(number)
    }

    mutating func number(_ name: StaticString, _ number: Int) { self.number(name, UInt64(number)) }

    mutating func flag(_ name: StaticString, _ isTrue: Bool) {
        begin(name)
        buffer.append(isTrue ? "true" : "false")
    }

    mutating func digest(_ name: StaticString, _ digest: Digest) { text(name, digest.description) }

    /// A key as it is spelled in the log.
    mutating func key(_ name: StaticString, _ key: UnsafeRawBufferPointer) {
        begin(name)
        RecordText.appendKey(key, to: &buffer)
    }

    mutating func key(_ name: StaticString, _ key: [UInt8]) { key.withUnsafeBytes { self.key(name, $0) } }

    /// A value as it is spelled in the log.
    mutating func value(_ name: StaticString, _ value: UnsafeRawBufferPointer, _ scanner: inout JSONScanner) {
        begin(name)
        RecordText.appendValue(value, to: &buffer, &scanner)
    }

    mutating func value(_ name: StaticString, _ value: [UInt8]) {
        var scanner = RecordText.valueScanner()
        value.withUnsafeBytes { self.value(name, $0, &scanner) }
    }

    mutating func keys(_ name: StaticString, _ keys: [[UInt8]]) {
        list(name, keys) { key, buffer in key.withUnsafeBytes { RecordText.appendKey($0, to: &buffer) } }
    }

    mutating func numbers(_ name: StaticString, _ numbers: [Int]) {
        list(name, numbers) { number, buffer in buffer.appendDecimal(Int64(number)) }
    }

    mutating func texts(_ name: StaticString, _ texts: [String]) {
        list(name, texts) { Self.append($0, to: &$1) }
    }

    mutating func object(_ name: StaticString, _ body: (inout Answer) -> Void) {
        begin(name)
        nest(body)
    }

    mutating func objects<Item>(_ name: StaticString, _ items: [Item], _ body: (Item, inout Answer) -> Void) {
        begin(name)
        buffer.append("[")
        for (index, item) in items.enumerated() {
            if index > 0 { buffer.append(",") }
            nest { body(item, &$0) }
        }
        buffer.append("]")
    }

    // MARK: Inside

    private mutating func begin(_ name: StaticString) {
        buffer.append(isEmpty ? "\"" : ",\"")
        buffer.append(name)
        buffer.append("\":")
        isEmpty = false
    }

    private static func append(_ text: String, to buffer: inout ByteBuffer) {
        // A String is UTF-8, so this cannot be refused.
        _ = Array(text.utf8).withUnsafeBytes { buffer.appendJSONString($0) }
    }

    private mutating func nest(_ body: (inout Answer) -> Void) {
        var inner = Answer(nestedIn: ByteBuffer())
        body(&inner)
        buffer.append(inner.bytes)
    }

    private mutating func list<Item>(
        _ name: StaticString, _ items: [Item], _ append: (Item, inout ByteBuffer) -> Void
    ) {
        begin(name)
        buffer.append("[")
        for (index, item) in items.enumerated() {
            if index > 0 { buffer.append(",") }
            append(item, &buffer)
        }
        buffer.append("]")
    }
}
