import Glibc

/// `rootfast apply --ack`, or another command that answers each line with one, fed line by line.
final class LiveWriter {
    private let child: Child
    private let input: Descriptor
    private let output: Descriptor

    init(_ tool: Tool, _ arguments: [String]? = nil) throws {
        // A child that was killed must not take the tests with it.
        signal(SIGPIPE, SIG_IGN)
        let (childInput, input) = Descriptor.pipe()
        let (output, childOutput) = Descriptor.pipe()
        let errors = try Descriptor(tool.folder + "/writer.err", writing: true)
        child = try Child(
            Tool.path, arguments ?? ["apply", tool.store, "--ack"], input: childInput.number,
            output: childOutput.number, error: errors.number)
        (self.input, self.output) = (input, output)
        withExtendedLifetime((childInput, childOutput, errors)) {}
    }

    func feed(_ line: String) { input.write(line + "\n") }

    /// What it acknowledges next; waits for it.
    func acknowledgement() -> String? { output.readLine() }

    /// Whether it acknowledges something, or ends, before so long.
    func answers(within seconds: Int32) -> Bool { output.isReadable(within: seconds) }

    /// Feeds a line and waits until it is durable.
    func commit(_ line: String) -> String? {
        feed(line)
        return acknowledgement()
    }

    func kill() -> Int32 {
        child.kill()
        return child.wait()
    }

    /// Ends its input and waits for its end.
    func finish() -> Int32 {
        input.close()
        while acknowledgement() != nil {}
        return child.wait()
    }
}
