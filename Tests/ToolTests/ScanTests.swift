import Testing

@Suite struct ScanTests {
    private static func filled() throws -> Tool {
        let tool = try Tool()
        let keys = ["a", "a/1", "a/2", "a0", "b", "$/w==", "$//8=", "$JGE="]
        let data = keys.map { #""\#($0)":"\#($0)""# }.joined(separator: ",")
        try tool.run("apply", tool.store, input: #"{"data":{\#(data)}}"#)
        return tool
    }

    private static func keys(_ run: Tool.Run) -> [String] {
        run.lines.map { line in
            let rest = line.dropFirst(#"{"key":""#.count)
            return String(rest[..<rest.firstIndex(of: "\"")!])
        }
    }

    @Test(
        arguments: [
            ([], ["$JGE=", "a", "a/1", "a/2", "a0", "b", "$/w==", "$//8="]),
            (["--prefix", "a"], ["a", "a/1", "a/2", "a0"]),
            (["--prefix", "a/"], ["a/1", "a/2"]),
            (["--prefix", "$/w=="], ["$/w==", "$//8="]),
            (["--prefix", "$JGE="], ["$JGE="]),
            (["--prefix", ""], ["$JGE=", "a", "a/1", "a/2", "a0", "b", "$/w==", "$//8="]),
            (["--prefix", "zz"], []),
            (["--from", "a/2"], ["a/2", "a0", "b", "$/w==", "$//8="]),
            (["--to", "a/2"], ["$JGE=", "a", "a/1"]),
            (["--from", "a/1", "--to", "a0"], ["a/1", "a/2"]),
            (["--from", "b", "--to", "a"], []),
            (["--prefix", "a", "--from", "a/2"], ["a/2", "a0"]),
            (["--prefix", "a", "--from", "A"], ["a", "a/1", "a/2", "a0"]),
            (["--prefix", "a", "--to", "a0"], ["a", "a/1", "a/2"]),
            (["--prefix", "a", "--to", "zz"], ["a", "a/1", "a/2", "a0"]),
            (["--to", ""], ["$JGE=", "a", "a/1", "a/2", "a0", "b", "$/w==", "$//8="]),
            (["--limit", "2"], ["$JGE=", "a"]),
            (["--limit", "0"], []),
            (["--reverse", "--limit", "2"], ["$//8=", "$/w=="]),
            (["--reverse", "--prefix", "a/"], ["a/2", "a/1"]),
            (["--reverse", "--from", "a/1", "--to", "a0"], ["a/2", "a/1"]),
        ] as [([String], [String])])
    func `the options narrow a scan together`(options: [String], expected: [String]) throws {
        let tool = try Self.filled()
        let run = try tool.run(program: Tool.path, ["scan", tool.store] + options)
        #expect(run.status == 0)
        #expect(Self.keys(run) == expected)
    }

    @Test func `a scan can be applied to another store, and gives the same root`() throws {
        let tool = try Self.filled()
        try tool.run("import", tool.store, Fixture.path("rvc-v2-forms/wal.log"))
        let lines = try tool.run("scan", tool.store).lines.map { line in
            line.replacing(#""key":"#, with: "", maxReplacements: 1).replacing(
                #","value""#, with: "", maxReplacements: 1)
        }
        let other = try Tool()
        let input = lines.map { #"{"data":\#($0)}"# }.joined(separator: "\n")
        #expect(try other.run("apply", other.store, input: input).status == 0)
        #expect(try other.root() == tool.root())
    }

    @Test func `a closed pipe ends a scan quietly`() throws {
        let tool = try Tool()
        let input = (0..<20_000).map { #"{"data":{"key \#($0)":"\#($0)"}}"# }.joined(separator: "\n")
        try tool.run("apply", tool.store, input: input)
        for command in ["scan", "log"] {
            let script = #"{ "$0" \#(command) "$1"; echo "status $?" >&2; } | head -n 1"#
            let run = try tool.run(program: "/bin/sh", ["-c", script, Tool.path, tool.store])
            #expect(run.lines.count == 1)
            #expect(run.err == "status 0\n")
        }
    }
}
