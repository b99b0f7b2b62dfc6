import CHashing
import Hashing
import SeededRandom
import Testing

struct HashKernelTests {
    @Test(arguments: HashKernel.allCases)
    func `every kernel agrees with libb2 on every length`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        var generator = SeededGenerator(seed: 1)
        let messages = (0...1200).map { generator.bytes($0) }
        expectAgreement(kernel, on: messages, seed: 1)
        expectAgreement(kernel, on: messages.reversed(), seed: 1)
    }

    @Test(arguments: HashKernel.allCases)
    func `every kernel agrees with libb2 on messages of one length`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        var generator = SeededGenerator(seed: 2)
        for length in [0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 384, 1000, 1024, 5000] {
            for count in 1...20 {
                expectAgreement(kernel, on: (0..<count).map { _ in generator.bytes(length) }, seed: 2)
            }
        }
    }

    @Test(arguments: HashKernel.allCases, 0..<200 as Range<UInt64>)
    func `every kernel agrees with libb2 on mixed batches`(kernel: HashKernel, seed: UInt64) throws {
        try skipUnlessSupported(kernel)
        var generator = SeededGenerator(seed: seed)
        let lengthMax = [40, 130, 600, 3000].randomElement(using: &generator)!
        let messages = (0..<Int.random(in: 1...40, using: &generator)).map { _ in
            generator.bytes(Int.random(in: 0...lengthMax, using: &generator))
        }
        expectAgreement(kernel, on: messages, seed: seed)
    }

    @Test(arguments: HashKernel.allCases)
    func `one long message among short ones holds nothing up`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        var generator = SeededGenerator(seed: 3)
        for place in [0, 7, 20, 33] {
            var messages = (0..<34).map { _ in generator.bytes(Int.random(in: 0...300, using: &generator)) }
            messages[place] = generator.bytes(70_000)
            expectAgreement(kernel, on: messages, seed: 3)
        }
    }

    @Test(arguments: HashKernel.allCases)
    func `a node is the hash of its tag, bit and children`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        for count in 1...40 {
            var generator = SeededGenerator(seed: UInt64(count))
            let memory = Memory(capacity: 200 * count, seed: UInt64(count))
            var expected: [Digest] = []
            let jobs = (0..<count).map { _ in
                let bit = UInt32(truncatingIfNeeded: generator.next())
                let (left, right) = (generator.bytes(32), generator.bytes(32))
                expected.append(Oracle.node(bit: bit, left: left, right: right))
                return NodeJob(
                    bit: bit, left: memory.place(left).baseAddress!, right: memory.place(right).baseAddress!,
                    digest: memory.digest())
            }
            jobs.withUnsafeBufferPointer { kernel.hashNodes($0) }
            #expect(jobs.map { Digest(at: $0.digest) } == expected, "\(count) nodes")
            #expect(memory.guardsHold)
        }
    }

    @Test(arguments: HashKernel.allCases)
    func `a node's digest may overwrite either child`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        for count in 1...40 {
            var generator = SeededGenerator(seed: UInt64(count))
            let memory = Memory(capacity: 200 * count, seed: UInt64(count))
            var expected: [Digest] = []
            let jobs = (0..<count).map { index in
                let (left, right) = (generator.bytes(32), generator.bytes(32))
                expected.append(Oracle.node(bit: 5, left: left, right: right))
                let children = [memory.place(left).baseAddress!, memory.place(right).baseAddress!]
                return NodeJob(bit: 5, left: children[0], right: children[1], digest: children[index % 2])
            }
            jobs.withUnsafeBufferPointer { kernel.hashNodes($0) }
            #expect(jobs.map { Digest(at: $0.digest) } == expected, "\(count) nodes")
            #expect(memory.guardsHold)
        }
    }

    @Test(arguments: HashKernel.allCases)
    func `a leaf is the hash of its tag, key and value digest`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        expectLeaves(kernel, keyLengths: Array(1...1024), seed: 4)
        for count in 1...40 {
            expectLeaves(kernel, keyLengths: Array(repeating: 16, count: count), seed: UInt64(count))
        }
    }

    @Test(arguments: HashKernel.allCases, 0..<100 as Range<UInt64>)
    func `leaves of mixed keys agree with libb2`(kernel: HashKernel, seed: UInt64) throws {
        try skipUnlessSupported(kernel)
        var generator = SeededGenerator(seed: seed)
        let lengthMax = [40, 91, 110, 1024].randomElement(using: &generator)!
        let count = Int.random(in: 1...40, using: &generator)
        let lengths = (0..<count).map { _ in Int.random(in: 1...lengthMax, using: &generator) }
        expectLeaves(kernel, keyLengths: lengths, seed: seed)
    }

    @Test(arguments: HashKernel.allCases)
    func `an empty batch is nothing`(kernel: HashKernel) throws {
        try skipUnlessSupported(kernel)
        kernel.hashNodes(UnsafeBufferPointer(start: nil, count: 0))
        kernel.hashLeaves(UnsafeBufferPointer(start: nil, count: 0))
        kernel.hashMessages(UnsafeBufferPointer(start: nil, count: 0))
    }

    @Test func `the scalar kernel runs anywhere`() {
        #expect(HashKernel.scalar.isSupported)
    }

    @Test func `the measured kernel is the one that took least by the clock`() {
        for favourite in HashKernel.allCases where favourite.isSupported {
            // The kernels are measured in the order of their cases, and each is timed by pairs of readings.
            var time: UInt64 = 0
            var spans = HashKernel.allCases.filter(\.isSupported).map { $0 == favourite ? 50_000 : 60_000 as UInt64 }
            var inside = false
            let found = HashKernel.fastest {
                if inside { time += spans.removeFirst() }
                inside.toggle()
                return time
            }
            #expect(found == favourite)
            #expect(spans.isEmpty)
        }
    }

    /// A kernel that cannot run here is reported as cancelled rather than passed over.
    private func skipUnlessSupported(_ kernel: HashKernel) throws {
        if !kernel.isSupported { try Test.cancel("this processor cannot run \(kernel)") }
    }

    private func expectAgreement(_ kernel: HashKernel, on messages: [[UInt8]], seed: UInt64) {
        let memory = Memory(capacity: messages.reduce(0) { $0 + $1.count + 40 }, seed: seed)
        let jobs = messages.map { message in
            MessageJob(message: UnsafeBufferPointer(memory.place(message)), digest: memory.digest())
        }
        jobs.withUnsafeBufferPointer { kernel.hashMessages($0) }
        let wrong = zip(messages, jobs).filter { Oracle.hash($0) != Digest(at: $1.digest) }.map(\.0.count)
        #expect(wrong.isEmpty, "seed \(seed), \(messages.count) messages: wrong are those of these lengths")
        #expect(memory.guardsHold, "seed \(seed)")
    }

    private func expectLeaves(_ kernel: HashKernel, keyLengths: [Int], seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let memory = Memory(capacity: keyLengths.reduce(0) { $0 + $1 + 80 }, seed: seed)
        var expected: [Digest] = []
        let jobs = keyLengths.map { length in
            let (key, valueDigest) = (generator.bytes(length), generator.bytes(32))
            expected.append(Oracle.leaf(key: key, valueDigest: valueDigest))
            return LeafJob(
                key: UnsafeBufferPointer(memory.place(key)), valueDigest: memory.place(valueDigest).baseAddress!,
                digest: memory.digest())
        }
        jobs.withUnsafeBufferPointer { kernel.hashLeaves($0) }
        let wrong = keyLengths.indices.filter { Digest(at: jobs[$0].digest) != expected[$0] }.map { keyLengths[$0] }
        #expect(wrong.isEmpty, "seed \(seed), \(keyLengths.count) leaves: wrong are those of these key lengths")
        #expect(memory.guardsHold, "seed \(seed)")
    }
}
