import CommitLog
import SQLite
import SpecSupport

/// Something else in a state file than was there.
///
/// ```
/// edit  = 0, place (2), count, bytes           bytes of the file
///       / 1, column, row, value                a field
///       / 2, column, row, offset (2), bytes    bytes of a field
///       / 3, column, row                       no such row
///       / 4, column, row, other row            a field of another row
///       / 5                                    the right hash for each snapshot, as its rows are by then
/// value = 0 (null) / 1, bytes (integer) / 2, bytes (text) / 3, bytes (blob)
/// bytes = count, bytes
/// ```
/// Places, columns and rows are counted (see `StateFileSample`), modulo how many there are.
enum StateFileEdit {
    case bytes([UInt8], place: Int)
    case field(Field, SQLiteValue)
    case fieldBytes(Field, [UInt8], offset: Int)
    case noRow(Field)
    case copy(Field, row: Int)
    case rightHash

    struct Field {
        var column: Int
        var row: Int
    }

    init(_ input: inout InputReader) {
        switch input.byte() % 6 {
        case 0:
            let place = input.number()
            self = .bytes(input.bytes(1 + input.byte() % 16), place: place)
        case 1: self = .field(Self.field(&input), Self.value(&input))
        case 2:
            let (field, offset) = (Self.field(&input), input.number())
            self = .fieldBytes(field, input.bytes(1 + input.byte() % 16), offset: offset)
        case 3: self = .noRow(Self.field(&input))
        case 4: self = .copy(Self.field(&input), row: input.byte())
        default: self = .rightHash
        }
    }

    private static func field(_ input: inout InputReader) -> Field { Field(column: input.byte(), row: input.byte()) }

    private static func value(_ input: inout InputReader) -> SQLiteValue {
        let kind = input.byte() % 4
        guard kind > 0 else { return .null }
        let bytes = input.bytes(input.byte())
        switch kind {
        case 1: return .integer(bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int64($1) })
        case 2: return .text(String(decoding: bytes, as: UTF8.self))
        default: return .blob(bytes)
        }
    }
}

// MARK: - Doing it

extension StateFileEdit {
    /// Edits rows first, as SQLite could not find them in a file whose bytes were changed.
    static func apply(_ edits: [StateFileEdit], to files: inout [String: [UInt8]]) throws {
        let disk = SimulatedDisk(files: files)
        if edits.contains(where: \.isOfRow) {
            let location = disk.database(StateFileSample.name)
            let file = try Connection(path: location.path, vfs: location.vfs, .readWrite)
            // What the schema does not allow is left as it is.
            for edit in edits { try? edit.apply(to: file) }
        }
        files = disk.files
        for case .bytes(let bytes, let place) in edits {
            let places = StateFileSample.shared.places
            let offset = places[place % places.count]
            for (index, byte) in bytes.enumerated() where offset + index < files[StateFileSample.name]!.count {
                files[StateFileSample.name]![offset + index] = byte
            }
        }
    }

    /// Whether hashes are made right: what follows is no accident.
    var isForging: Bool { if case .rightHash = self { true } else { false } }
    private var isOfRow: Bool { if case .bytes = self { false } else { true } }

    private func apply(to file: Connection) throws {
        switch self {
        case .bytes: break
        case .field(let field, let value): try field.set(value, in: file)
        case .fieldBytes(let field, let bytes, let offset): try field.overwrite(bytes, at: offset, in: file)
        case .noRow(let field): try file.run("DELETE FROM \(field.place(in: file))")
        case .copy(let field, let row):
            let (table, key, name) = field.names
            let row = try row % max(1, field.rowCount(in: file))
            let other = "SELECT \(name) FROM \(table) ORDER BY \(key) LIMIT 1 OFFSET \(row)"
            try file.run("UPDATE \(table) SET \(name) = (\(other)) WHERE \(field.condition(in: file))")
        case .rightHash: try SnapshotHash.makeRight(in: file)
        }
    }
}

extension StateFileEdit.Field {
    fileprivate var names: (table: String, key: String, name: String) {
        let columns = StateFileSample.shared.columns
        return columns[column % columns.count]
    }

    fileprivate func rowCount(in file: Connection) throws -> Int {
        Int(try file.row("SELECT count(*) FROM \(names.table)") { $0.integer(0) } ?? 0)
    }

    fileprivate func condition(in file: Connection) throws -> String {
        let (table, key, _) = names
        let row = try row % max(1, rowCount(in: file))
        return "\(key) = (SELECT \(key) FROM \(table) ORDER BY \(key) LIMIT 1 OFFSET \(row))"
    }

    fileprivate func place(in file: Connection) throws -> String { try "\(names.table) WHERE \(condition(in: file))" }

    fileprivate func set(_ value: SQLiteValue, in file: Connection) throws {
        try file.run("UPDATE \(names.table) SET \(names.name) = ? WHERE \(condition(in: file))", value)
    }

    /// Of a page its crc is made right again, which a fuzzer would not find.
    fileprivate func overwrite(_ bytes: [UInt8], at offset: Int, in file: Connection) throws {
        let (isText, old) =
            try file.row("SELECT typeof(\(names.name)), \(names.name) FROM \(place(in: file))") {
                ($0.text(0) == "text", $0.text(0) == "text" ? Array($0.text(1).utf8) : $0.blob(1))
            } ?? (false, [])
        guard !old.isEmpty else { return }
        var new = old
        for (index, byte) in bytes.enumerated() { new[(offset + index) % new.count] = byte }
        if names.table == "pages", names.name == "image" { new = PageLaw.withCRC(Array(new.dropLast(4))) }
        try set(isText ? .text(String(decoding: new, as: UTF8.self)) : .blob(new), in: file)
    }
}

// MARK: - Seeds

extension StateFileEdit {
    /// Nothing, a byte here and there, and each kind of edit for each column.
    static var seeds: [[UInt8]] {
        let columns = StateFileSample.shared.columns.indices.map { UInt8($0) }
        let places = (UInt8(0)..<20).map { [0, $0 &* 37, $0, 0, 0xFF] }
        return [[]] + places
            + columns.flatMap { column -> [[UInt8]] in
                [
                    [1, column, 1, 1, 1, 7], [1, column, 0, 2, 2, 0x61, 0x62], [1, column, 1, 0],
                    [2, column, 1, 9, 0, 0, 1],
                    [3, column, 1], [4, column, 0, 1], [1, column, 1, 1, 1, 7, 5],
                    [1, column, 0, 1, 4, 255, 255, 255, 127, 5],
                ]
            }
    }
}
