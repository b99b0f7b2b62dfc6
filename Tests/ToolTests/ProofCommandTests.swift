import Foundation
import Rootfast
import Testing

/// The tool and the independent verifier are to say the same of every proof, honest or not.
@Suite struct ProofCommandTests {
    private static func filled() throws -> Tool {
        let tool = try Tool()
        try tool.run("apply", tool.store, Fixture.path("git-history/transactions.jsonl"))
        let data = #"{"data":{"$/w==":{"$base64":"AP8="},"$JGE=":"$b","json":{"a":[1,"x y",2.50]},"empty":"","é":"ü"}}"#
        try tool.run("apply", tool.store, input: data)
        return tool
    }

    /// What both say of a document; they are to say the same.
    private func verdict(
        _ tool: Tool, _ document: String, root: String, key: String? = nil, _ comment: Comment? = nil
    ) throws -> Int32 {
        let options = ["-", "--root", root] + (key.map { ["--key", $0] } ?? [])
        let input = Array(document.utf8)
        let ours = try tool.run(program: Tool.path, ["verify-proof"] + options, input: input)
        let theirs = try tool.run(program: "python3", [Tool.verifier] + options, input: input)
        #expect(ours.status == theirs.status, comment ?? "\(document.prefix(300)) \(ours.err) \(theirs.err)")
        #expect(ours.text.prefix(7) == theirs.text.prefix(7))
        return ours.status
    }

    @Test func `honest proofs of presence and absence hold`() throws {
        let tool = try Self.filled()
        let root = try tool.root()
        let present = ["README.md", "src/lib.rs", "$/w==", "$JGE=", "json", "empty", "\u{e9}"]
        let absent = ["nothing", "$AA==", "README.md\u{1}", "README.m", "e\u{301}"]
        for key in present + absent {
            // As bytes: Swift takes the two spellings of é for the same.
            let isPresent = present.contains { $0.utf8.elementsEqual(key.utf8) }
            let proof = try tool.run("prove", tool.store, key)
            #expect(proof.status == 0)
            #expect(try verdict(tool, proof.text, root: root, key: key) == 0)
            #expect(try verdict(tool, proof.text, root: root, key: "other") == 2)
            let file = try tool.file("proof.json", proof.text)
            let said = try tool.run("verify-proof", file, "--root", root, "--json")
            #expect(said.json["membership"] as? String == (isPresent ? "present" : "absent"))
            let python = try tool.run(program: "python3", [Tool.verifier, file, "--root", root])
            #expect(python.text.hasPrefix(isPresent ? "present" : "absent"))
        }
    }

    @Test func `the empty store proves that everything is absent`() throws {
        let tool = try Tool()
        try tool.run("init", tool.store)
        let proof = try tool.run("prove", tool.store, "k").text
        #expect(proof.contains(#""count":0,"leaf":null,"path":[]"#))
        #expect(try verdict(tool, proof, root: tool.root()) == 0)
        #expect(try verdict(tool, proof.replacing(#""count":0"#, with: #""count":1"#), root: tool.root()) == 2)
    }

    @Test func `another root, another key or another state is refused`() throws {
        let tool = try Self.filled()
        let (root, proof) = (try tool.root(), try tool.run("prove", tool.store, "README.md").text)
        let digit = root.last == "0" ? "1" : "0"
        #expect(try verdict(tool, proof, root: root.dropLast() + digit) == 2)
        // The root that the file names is never what it is checked against.
        let forged = proof.replacing(root, with: String(repeating: "0", count: 64))
        #expect(try verdict(tool, forged, root: root) == 0)
        #expect(try verdict(tool, forged, root: String(repeating: "0", count: 64)) == 2)
        let named = proof.replacing(#""key":"README.md","count""#, with: #""key":"LICENSE","count""#)
        #expect(try verdict(tool, named, root: root) == 2)
        try tool.run("put", tool.store, "README.md", "new")
        #expect(try verdict(tool, proof, root: tool.root()) == 2)
    }

    @Test func `every change to a proof is refused by both`() throws {
        let tool = try Self.filled()
        let root = try tool.root()
        for key in ["README.md", "nothing"] {
            let honest = try tool.run("prove", tool.store, key).text
            let documents = try [("honest", honest)] + mutations(of: honest)
            let theirs = try independentVerdicts(tool, documents.map(\.1), root: root)
            for (index, (name, document)) in documents.enumerated() {
                let ours = try tool.run("verify-proof", "-", "--root", root, input: document).status
                #expect(ours == (index == 0 ? 0 : 2), "\(key): \(name)")
                #expect(theirs[index] == ours, "\(key): \(name)")
            }
        }
    }

    /// What `verify_proof.py` says of many documents: asked in one process, as starting it is what takes time.
    private func independentVerdicts(_ tool: Tool, _ documents: [String], root: String) throws -> [Int32] {
        let script = """
            import contextlib, io, json, sys
            sys.path.insert(0, sys.argv[1])
            sys.dont_write_bytecode = True
            import verify_proof
            for document in json.load(sys.stdin):
                sys.argv = ["verify_proof.py", "-", "--root", sys.argv[-1]]
                sys.stdin = io.TextIOWrapper(io.BytesIO(document.encode()))
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    status = verify_proof.main()
                print(status)
            """
        let folder = URL(fileURLWithPath: Tool.verifier).deletingLastPathComponent().path
        let input = Array(try JSONSerialization.data(withJSONObject: documents))
        let run = try tool.run(program: "python3", ["-c", script, folder, root], input: input)
        return try #require(run.lines.count == documents.count ? run.lines.map { Int32($0) ?? -1 } : nil, "\(run.err)")
    }

    /// Documents that prove nothing, each by one change.
    private func mutations(of honest: String) throws -> [(String, String)] {
        let parsed = try JSONSerialization.jsonObject(with: Data(honest.utf8)) as? [String: Any]
        let path = try #require(parsed?["path"] as? [[String: Any]])
        let bits = try path.map { try #require($0["bit"] as? Int) }
        let leafStart = try #require(honest.range(of: #""leaf":{"#))
        var changed: [(String, String)] = []
        func replace(_ old: String, _ new: String, _ name: String? = nil) {
            let document = honest.replacing(old, with: new, maxReplacements: 1)
            if document != honest { changed.append((name ?? "\(old) → \(new)", document)) }
        }
        for bit in bits {
            for other in [
                "\(bit + 1)", "\(bit - 1)", "9217", "99999999999999999999", "\(bit).0", "\"\(bit)\"", "-1", "0\(bit)",
            ]
            where bit > 0 { replace("\"bit\":\(bit),", "\"bit\":\(other),") }
        }
        for (index, step) in path.enumerated() {
            let sibling = try #require(step["sibling"] as? String)
            replace(sibling, String(sibling.reversed()), "sibling \(index)")
            replace(sibling, sibling.uppercased(), "sibling \(index) in capitals")
            replace(sibling, String(sibling.dropLast()), "sibling \(index) cut")
            let text = #"{"bit":\#(bits[index]),"sibling":"\#(sibling)"}"#
            replace(text + ",", "", "step \(index) left out")
            replace(text, text + "," + text, "step \(index) twice")
        }
        replace(#""leaf":{"key":""#, #""leaf":{"key":"x"#)
        replace(#""value_hash":"#, #""value_hash":null,"x":"#)
        replace(#""count":"#, #""count":1"#)
        replace(#""count":"#, #""count":-"#)
        replace(#""count":"#, #""other":1,"count":"#)
        replace(#""count":"#, #""count":1,"count":"#)
        replace(#""schema":1"#, #""schema":2"#)
        replace(#""schema":1"#, #""schema":true"#)
        replace(#""schema":1,"#, "")
        replace(#""kind":"proof""#, #""kind":"range""#)
        replace(#""value":""#, #""value":"x"#)
        replace(#""value":"#, #""value":null,"x":"#)
        replace(#""sequence":"#, #""sequence":-"#)
        replace(#""sequence":"#, #""sequence":1e"#)
        replace(#""root":""#, #""root":"0"#)
        changed.append(
            (
                "leaf left out",
                honest[..<leafStart.lowerBound] + #""leaf":null,"path":[],"x":{"# + honest[leafStart.upperBound...]
            ))
        changed.append(("something behind it", honest + "{}"))
        changed.append(("a byte-order mark", "\u{feff}" + honest))
        changed.append(("cut", String(honest.dropLast(3))))
        changed.append(("nothing", ""))
        changed.append(("no object", "[]"))
        changed.append(("deep", String(repeating: "[", count: 100_000)))
        changed.append(("a value for a key that is absent", honest.replacing("}\n", with: #","value":"v"}"#)))
        return changed
    }

    @Test func `another spelling of the same document is the same proof`() throws {
        let tool = try Self.filled()
        let root = try tool.root()
        let honest = try tool.run("prove", tool.store, "json").text
        let spaced = honest.replacing(":", with: " : ").replacing(",", with: " ,\r\n\t")
        #expect(try verdict(tool, spaced, root: root) == 0)
        #expect(try verdict(tool, honest.replacing(#""key""#, with: #""\u006bey""#), root: root) == 0)
        #expect(
            try verdict(tool, honest.replacing(#"[1,"x y",2.50]"#, with: #"[ 1 , "x y" , 2.50 ]"#), root: root) == 0)
        #expect(try verdict(tool, honest.replacing(#"[1,"x y",2.50]"#, with: #"[1,"x  y",2.50]"#), root: root) == 2)
        #expect(try verdict(tool, honest.replacing(#"[1,"x y",2.50]"#, with: #"[1,"x y",2.5]"#), root: root) == 2)
    }

    @Test func `a proof of the library's is one of the tool's, and back`() throws {
        let tool = try Self.filled()
        let store = try Store.open(tool.store, mode: .readOnly)
        let proof = try store.proof(for: "README.md")
        #expect(try Proof(json: proof.json) == proof)
        #expect(try Proof(json: tool.run("prove", tool.store, "README.md").text) == proof)
        #expect(try verdict(tool, proof.json, root: store.root.hex, key: "README.md") == 0)
        #expect(try verdict(tool, proof.json, root: store.root.hex) == 2)
        #expect(throws: ProofFormatError.self) { try Proof(json: "{}") }
    }

    @Test func `what is wrong with the arguments exits 64, and what cannot be read 1`() throws {
        let tool = try Tool()
        let root = String(repeating: "0", count: 64)
        for options in [
            ["x"], ["x", "--root", "abc"], ["x", "--root", root, "--key", "$!"], ["--root", root],
            ["x", "--root", root, "--what"],
        ] {
            #expect(try tool.run(program: Tool.path, ["verify-proof"] + options).status == 64, "\(options)")
            #expect(try tool.run(program: "python3", [Tool.verifier] + options).status == 64, "\(options)")
        }
        let missing = [tool.folder + "/none", "--root", root]
        #expect(try tool.run(program: Tool.path, ["verify-proof"] + missing).status == 1)
        #expect(try tool.run(program: "python3", [Tool.verifier] + missing).status == 1)
    }
}
