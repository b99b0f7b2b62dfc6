import Foundation

/// What it was measured on.
struct Machine: Codable {
    let cpu: String
    let cores: Int
    let memoryBytes: Int
    let kernel: String
    let filesystem: String

    init(folder: String) {
        let memory = ProcText.fields("/proc/meminfo")["MemTotal"].flatMap(ProcText.number) ?? 0
        cpu = ProcText.fields("/proc/cpuinfo")["model name"] ?? "unknown"
        cores = ProcessInfo.processInfo.activeProcessorCount
        memoryBytes = memory * 1024
        kernel = Self.kernelName
        filesystem = Mount(holding: folder)?.description ?? "unknown"
    }

    var description: String {
        "\(cpu), \(cores) cores, \(memoryBytes >> 30) GiB; \(kernel); \(filesystem)"
    }

    private static var kernelName: String {
        let release = ProcText.read("/proc/sys/kernel/osrelease") ?? "unknown"
        return "Linux " + release.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
