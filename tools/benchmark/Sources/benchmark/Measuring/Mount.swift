import Foundation

/// The mounted file system that a folder is in.
struct Mount {
    private let device: String
    private let type: String
    private let options: String

    init?(holding folder: String) {
        let path = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path + "/"
        let lines = (ProcText.read("/proc/self/mounts") ?? "").split(separator: "\n")
        let mounts = lines.map { $0.split(separator: " ").map(String.init) }.filter { $0.count > 3 }
        let holding = mounts.filter { path.hasPrefix($0[1].hasSuffix("/") ? $0[1] : $0[1] + "/") }
        // The innermost, and of those in the same place the last, which hides the others.
        guard let mount = holding.max(by: { $0[1].utf8.count <= $1[1].utf8.count }) else { return nil }
        (device, type, options) = (mount[0], mount[2], mount[3])
    }

    /// Whether what is in it lives in memory, where a sync costs nothing.
    var isInMemory: Bool { ["tmpfs", "ramfs"].contains(type) }

    var description: String {
        guard type == "ext4" else { return "\(type) (\(options))" }
        return "ext4 \(hasJournal ? "with" : "without") a journal (\(options))"
    }

    private var hasJournal: Bool {
        let name = device.split(separator: "/").last ?? ""
        let journals = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/fs/jbd2")) ?? []
        return journals.contains { $0.hasPrefix("\(name)-") }
    }
}
