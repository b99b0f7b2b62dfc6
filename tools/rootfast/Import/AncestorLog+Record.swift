import CommitLog
import StrictJSON

extension AncestorLog {
    /// One line of the ancestor's log.
    struct Record {
        enum Kind {
            case prepare([Change])
            case commit
            case abort
            /// The older form, committed in the line itself.
            case whole([Change])
        }

        let id: String
        let kind: Kind

        /// `nil` for a line that is none.
        init?(_ line: [UInt8]) {
            guard let members = try? Members(line), let id = members.id, let kind = members.kind else { return nil }
            self.id = id
            self.kind = kind
        }
    }

    private struct Members {
        var id: String?
        private var op: String?
        private var changes: [Change]?
        private var committed: Bool?

        init(_ line: [UInt8]) throws {
            var reader = try JSONReader(line, valueDepthMax: JSONReader.depthMax)
            try reader.beginObject()
            while let name = reader.nextKey() {
                switch String(decoding: name, as: UTF8.self) {
                case "op": op = String(decoding: try reader.readString(), as: UTF8.self)
                case "tx_id": id = String(decoding: try reader.readString(), as: UTF8.self)
                case "changes", "data": try readChanges(&reader)
                case "committed": committed = try reader.readBool()
                default: try reader.skipValue()
                }
            }
        }

        private struct TwoSets: Error {}

        private mutating func readChanges(_ reader: inout JSONReader) throws {
            guard changes == nil else { throw TwoSets() }
            var read: [Change] = []
            try reader.beginObject()
            while let key = reader.nextKey() { read.append(Change(key: key, value: try reader.readValue())) }
            changes = read
        }

        /// What the members come to; `nil` if they are no record.
        var kind: Record.Kind? {
            switch (op, changes) {
            case ("PREPARE", let changes?): .prepare(changes)
            case ("COMMIT", _): .commit
            case ("ABORT", _): .abort
            case (nil, let changes?): committed == true ? .whole(changes) : .prepare(changes)
            default: nil
            }
        }
    }
}
