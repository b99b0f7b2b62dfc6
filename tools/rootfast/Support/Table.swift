/// Rows for people, in columns.
enum Table {
    /// The rows as lines, each column as wide as its widest cell: those in `left` begin, the others end below each other.
    static func lines(_ rows: [[String]], left: Set<Int>) -> [String] {
        let columns = rows.first?.indices ?? 0..<0
        let widths = columns.map { column in rows.map { $0[column].utf8.count }.max()! }
        return rows.map { row in
            columns.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].utf8.count)
                guard left.contains(column) else { return padding + row[column] }
                // Nothing stands behind the last column that padding would align.
                return column == columns.last ? row[column] : row[column] + padding
            }.joined(separator: "  ")
        }
    }
}
