import Foundation
import SpecSupport

/// A canonical line in its tokens, to spell in ways that are not canonical.
///
/// What stands bare in `data` (a value that is JSON itself) is left alone, but for white space: another spelling there is
/// another value.
struct Respelling {
    private let tokens: [[UInt8]]
    /// Tokens that belong to a value that stands bare.
    private var bare: Set<Int> = []
    /// The members of the line, as ranges of tokens.
    private var fields: [Range<Int>] = []
    private var changes: [Range<Int>] = []
    private var reads: [Range<Int>] = []

    enum Kind: String, CaseIterable {
        case space, escape, number, base64, order, twice, unknown, missing, letterCase, tail, otherForm
    }

    init(_ line: [UInt8]) {
        tokens = Self.tokens(of: line)
        fields = parts(ofContainerAt: 0)
        if let data = fields.first(where: { tokens[$0.lowerBound] == Self.bytes("\"data\"") }) {
            changes = parts(ofContainerAt: data.lowerBound + 2)
        }
        if let field = fields.first(where: { tokens[$0.lowerBound] == Self.bytes("\"reads\"") }) {
            reads = parts(ofContainerAt: field.lowerBound + 2)
        }
        for change in changes where isBare(change) { bare.formUnion(change.lowerBound + 2..<change.upperBound) }
    }

    /// The line spelled in another way; `nil` if it has nothing to which the kind applies.
    func line(_ kind: Kind, _ choices: inout Choices) -> [UInt8]? {
        switch kind {
        case .space: spaced(&choices)
        case .escape: replaced(plainStrings, &choices, Self.escaped)
        case .number: replaced(numbers, &choices, Self.respelledNumber)
        case .base64: replaced(base64Strings, &choices, Self.respelledBase64)
        case .order: reordered(&choices)
        case .twice: doubled(&choices)
        case .unknown: extended(&choices)
        case .missing: shortened(&choices)
        case .letterCase: replaced(caseTokens, &choices) { token, _ in Self.otherCase(token) }
        case .tail: framed(&choices)
        case .otherForm: otherForm(&choices)
        }
    }

    // MARK: Tokens

    private static func tokens(of line: [UInt8]) -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        var start = 0
        while start < line.count {
            var end = start + 1
            if line[start] == UInt8(ascii: "\"") {
                while line[end] != UInt8(ascii: "\"") { end += line[end] == UInt8(ascii: "\\") ? 2 : 1 }
                end += 1
            } else if !isMark(line[start]) {
                while end < line.count, !isMark(line[end]) { end += 1 }
            }
            tokens.append(Array(line[start..<end]))
            start = end
        }
        return tokens
    }

    private static func isMark(_ byte: UInt8) -> Bool { bytes("{}[]:,\"").contains(byte) }

    /// The members or items of an object or array, without the commas between them.
    private func parts(ofContainerAt open: Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var (depth, start, index) = (0, open + 1, open)
        while true {
            switch tokens[index] {
            case Self.bytes("{"), Self.bytes("["): depth += 1
            case Self.bytes("}"), Self.bytes("]"): depth -= 1
            default: break
            }
            if depth == 0 { return index == start ? parts : parts + [start..<index] }
            if depth == 1, tokens[index] == Self.bytes(",") {
                parts.append(start..<index)
                start = index + 1
            }
            index += 1
        }
    }

    private func isBare(_ change: Range<Int>) -> Bool {
        let value = tokens[change.dropFirst(2)]
        if value.count == 5, value.dropFirst().first == Self.bytes("\"$base64\"") { return false }
        return value.first != Self.bytes("null") && value.first?.first != UInt8(ascii: "\"")
    }

    private var plainStrings: [Int] {
        tokens.indices.filter { !bare.contains($0) && tokens[$0].first == UInt8(ascii: "\"") && tokens[$0].count > 2 }
    }

    private var numbers: [Int] {
        tokens.indices.filter { !bare.contains($0) && (0x30...0x39).contains(tokens[$0][0]) }
    }

    private var base64Strings: [Int] {
        let keys = changes.map(\.lowerBound).filter { tokens[$0].starts(with: Self.bytes("\"$")) }
        let values = changes.filter { $0.count == 7 && !bare.contains($0.lowerBound + 2) }.map { $0.lowerBound + 5 }
        return keys + values
    }

    /// Where another case of letters is nothing but another spelling: not in what the caller gave.
    private var caseTokens: [Int] {
        let names = fields.map(\.lowerBound)
        let fixed = ["\"op\"", "\"root\"", "\"chain\"", "\"crc\"", "\"store\"", "\"voted\"", "\"resolved\""].map(
            Self.bytes)
        let values = fields.filter { fixed.contains(tokens[$0.lowerBound]) }.map { $0.lowerBound + 2 }
        let nulls = changes.filter { tokens[$0.upperBound - 1] == Self.bytes("null") }.map { $0.upperBound - 1 }
        return (names + values + nulls).filter { Self.otherCase(tokens[$0]) != nil }
    }

    // MARK: Spellings of a token

    private func replaced(
        _ candidates: [Int], _ choices: inout Choices, _ respell: ([UInt8], inout Choices) -> [UInt8]?
    ) -> [UInt8]? {
        guard !candidates.isEmpty else { return nil }
        var tokens = self.tokens
        let index = choices.pick(candidates)
        guard let other = respell(tokens[index], &choices) else { return nil }
        tokens[index] = other
        return tokens.flatMap { $0 }
    }

    /// With one character of a string written as an escape, or its escape written in another way.
    private static func escaped(_ token: [UInt8], _ choices: inout Choices) -> [UInt8]? {
        var units: [String] = []
        var rest = String(decoding: token.dropFirst().dropLast(), as: UTF8.self).unicodeScalars[...]
        while let first = rest.first {
            let count = first != "\\" ? 1 : rest.dropFirst().first == "u" ? 6 : 2
            units.append(String(String.UnicodeScalarView(rest.prefix(count))))
            rest = rest.dropFirst(count)
        }
        let index = choices.below(units.count)
        units[index] = otherEscape(units[index], &choices)
        return bytes("\"\(units.joined())\"")
    }

    private static func otherEscape(_ unit: String, _ choices: inout Choices) -> String {
        let short = [#"\u0008"#: "b", #"\u0009"#: "t", #"\u000a"#: "n", #"\u000c"#: "f", #"\u000d"#: "r"]
        if unit.hasPrefix(#"\u"#) {
            if let letter = short[unit] { return "\\" + letter }
            let upper = #"\u"# + unit.dropFirst(2).uppercased()
            let raw = String(UnicodeScalar(UInt32(unit.dropFirst(2), radix: 16)!)!)
            return upper == unit || choices.bool() ? raw : upper
        }
        if unit == "/", choices.bool() { return #"\/"# }
        let isUpper = choices.bool()
        return (unit.hasPrefix("\\") ? String(unit.dropFirst()) : unit).utf16.map { unit in
            let hex = String(0x1_0000 + Int(unit), radix: 16, uppercase: isUpper).dropFirst()
            return #"\u"# + hex
        }.joined()
    }

    private static func respelledNumber(_ token: [UInt8], _ choices: inout Choices) -> [UInt8]? {
        let text = String(decoding: token, as: UTF8.self)
        let zero = text.contains(".") ? text + "0" : text + ".0"
        return bytes(
            choices.pick([
                "0\(text)", "+\(text)", "-\(text)", zero, "\(text)e0", "\(text)E+0", "\"\(text)\"", "\(text).",
                "\(text)_",
                String(text.dropLast()) + ".", "0x\(text)",
            ]))
    }

    private static func respelledBase64(_ token: [UInt8], _ choices: inout Choices) -> [UInt8]? {
        let mark = token[1] == UInt8(ascii: "$") ? "$" : ""
        let text = String(decoding: token.dropFirst(1 + mark.utf8.count).dropLast(), as: UTF8.self)
        var others = ["\(text)=", "\(text)====", "\(text)A", "\(text) ", " \(text)", "\(text)\\n"]
        if text.hasSuffix("=") {
            // Without padding; and with bits behind the last byte, which decoders tend to pass over.
            let alphabet = bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
            let body = text.prefix { $0 != "=" }
            let last = alphabet[alphabet.firstIndex(of: body.utf8.last!)! + 1]
            others += [
                String(text.dropLast()), body.dropLast() + String(UnicodeScalar(last)) + text.dropFirst(body.count),
            ]
        }
        let urlSafe = text.replacing("+", with: "-").replacing("/", with: "_")
        if urlSafe != text { others.append(urlSafe) }
        return bytes("\"\(mark)\(choices.pick(others))\"")
    }

    private static func otherCase(_ token: [UInt8]) -> [UInt8]? {
        let text = String(decoding: token, as: UTF8.self)
        let other = text.uppercased() == text ? text.lowercased() : text.uppercased()
        return other == text ? nil : bytes(other)
    }

    // MARK: The line as a whole

    private func spaced(_ choices: inout Choices) -> [UInt8] {
        var tokens = self.tokens
        tokens.insert(Self.bytes(choices.pick([" ", "\t", "\n", "\r"])), at: choices.below(tokens.count + 1))
        return tokens.flatMap { $0 }
    }

    private func framed(_ choices: inout Choices) -> [UInt8] {
        let line = tokens.flatMap { $0 }
        let tail = choices.pick([",", "}", "\0", "{}", "null", "//", "\u{a0}", "\u{feff}"])
        switch choices.below(4) {
        case 0: return line + line
        case 1: return Self.bytes("\u{feff}") + line
        case 2: return Self.bytes("[") + line + Self.bytes("]")
        default: return line + Self.bytes(tail)
        }
    }

    private func reordered(_ choices: inout Choices) -> [UInt8]? {
        let lists = [fields, changes, reads].filter { $0.count > 1 }
        let list = choices.pick(lists)
        let first = choices.below(list.count - 1)
        let second = choices.int(in: first + 1...list.count - 1)
        var pieces = list.map { Array(tokens[$0]) }
        pieces.swapAt(first, second)
        return with(list, pieces)
    }

    private func doubled(_ choices: inout Choices) -> [UInt8]? {
        let list = choices.pick([fields, changes, reads].filter { !$0.isEmpty })
        var pieces = list.map { Array(tokens[$0]) }
        let piece = choices.pick(pieces)
        pieces.insert(piece, at: choices.below(pieces.count + 1))
        return with(list, pieces)
    }

    private func extended(_ choices: inout Choices) -> [UInt8] {
        let unknown = [
            #""x":1"#, #""":0"#, #""format":1"#, #""Op":"COMMIT""#, #""voted":false"#, #""resolved":false"#,
            #""note":null"#,
            #""reads":[]"#, #""crc":null"#, #""data\u0000":{}"#,
        ]
        var pieces = fields.map { Array(tokens[$0]) }
        pieces.insert([Self.bytes(choices.pick(unknown))], at: choices.below(pieces.count + 1))
        return with(fields, pieces)
    }

    /// Without a field that must be there.
    private func shortened(_ choices: inout Choices) -> [UInt8] {
        let optional = ["\"voted\"", "\"resolved\"", "\"reads\""].map(Self.bytes)
        var pieces = fields.map { Array(tokens[$0]) }
        pieces.remove(at: choices.pick(pieces.indices.filter { !optional.contains(pieces[$0][0]) }))
        return with(fields, pieces)
    }

    /// With a key or value in a form that is another one's: a string of what stands bare, base64 of what is text.
    private func otherForm(_ choices: inout Choices) -> [UInt8]? {
        guard !changes.isEmpty else { return nil }
        let change = choices.pick(changes)
        var tokens = self.tokens
        let value = tokens[change.dropFirst(2)].flatMap { $0 }
        let key = tokens[change.lowerBound]
        if choices.oneIn(3), let text = Self.content(ofString: key), !text.starts(with: Self.bytes("$")) {
            tokens[change.lowerBound] = Self.bytes("\"$\(Data(text).base64EncodedString())\"")
            return tokens.flatMap { $0 }
        }
        let isBare = bare.contains(change.lowerBound + 2)
        guard let text = isBare ? value : Self.content(ofString: value) else { return nil }
        let base64 = Self.bytes("{\"$base64\":\"\(Data(text).base64EncodedString())\"}")
        let other = isBare && choices.bool() ? Self.quoted(text) : base64
        tokens.replaceSubrange(change.dropFirst(2), with: [other])
        return tokens.flatMap { $0 }
    }

    private func with(_ list: [Range<Int>], _ pieces: [[[UInt8]]]) -> [UInt8] {
        let joined = Array(pieces.joined(separator: [Self.bytes(",")]))
        return (tokens[..<list[0].lowerBound] + joined + tokens[list.last!.upperBound...]).flatMap { $0 }
    }

    private static func content(ofString token: [UInt8]) -> [UInt8]? {
        (try? JSONDecoder().decode(String.self, from: Data(token))).map { Array($0.utf8) }
    }

    private static func quoted(_ text: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        return [quote] + text.flatMap { $0 == quote || $0 == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), $0] : [$0] } + [
            quote
        ]
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
}
