/// What is measured: a row of the report. Each gives one number a round for each engine.
enum Work: String, Codable, CaseIterable {
    case durable1 = "durable_1"
    case durable16 = "durable_16"
    case durable64 = "durable_64"
    case bareDisk = "bare_disk"
    case async1 = "async_1"
    case async2 = "async_2"
    case get1 = "get_1"
    case get1BeyondMemory = "get_1_beyond_memory"
    case durable16BeyondMemory = "durable_16_beyond_memory"
    case scan
    case reopen
    case written
    case writtenByCommits = "written_by_commits"
    case memory
    case flat
    case ancestor
    case journaled16 = "journaled_16"

    var title: String {
        switch self {
        case .durable1: "durable commits, 1 writer"
        case .durable16: "durable commits, 16 writers"
        case .durable64: "durable commits, 64 writers"
        case .bareDisk: "the disk alone"
        case .async1: "non-durable commits, 1 thread"
        case .async2: "non-durable commits, 2 threads"
        case .get1: "random gets, 1 thread"
        case .get1BeyondMemory: "random gets, 1 thread, the state four times the cache"
        case .durable16BeyondMemory: "durable commits, 16 writers, the state four times the cache"
        case .scan: "ordered scan"
        case .reopen: "reopening after a kill"
        case .written: "written to the device, load and commits"
        case .writtenByCommits: "written to the device, commits alone"
        case .memory: "memory after the load"
        case .flat: "Rootfast, non-durable commits by size"
        case .ancestor: "its ancestor RVC v2, commits by size"
        case .journaled16: "durable commits, 16 writers, journaled ext4"
        }
    }

    var unit: String {
        switch self {
        case .bareDisk: "writes/s"
        case .get1, .get1BeyondMemory: "gets/s"
        case .scan: "keys/s"
        case .written, .writtenByCommits: "bytes/byte"
        case .memory: "bytes/key"
        default: "commits/s"
        }
    }
}
