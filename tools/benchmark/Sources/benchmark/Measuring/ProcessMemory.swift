import Foundation

/// What this process has in memory, in bytes; zeros where there is no /proc.
struct ProcessMemory: Codable {
    /// All that is resident.
    let resident: Int
    /// Of the resident: memory of the process's own, and pages of files that it has mapped, which the system can drop.
    let anonymous: Int
    let mapped: Int

    static var now: ProcessMemory {
        ProcessMemory(resident: bytes("VmRSS"), anonymous: bytes("RssAnon"), mapped: bytes("RssFile"))
    }

    /// The most that was ever resident.
    static var peak: Int { bytes("VmHWM") }

    /// What has come since.
    static func - (now: ProcessMemory, earlier: ProcessMemory) -> ProcessMemory {
        ProcessMemory(
            resident: now.resident - earlier.resident, anonymous: now.anonymous - earlier.anonymous,
            mapped: now.mapped - earlier.mapped)
    }

    private static func bytes(_ name: String) -> Int {
        let status = ProcText.fields("/proc/self/status")
        return (status[name].flatMap(ProcText.number) ?? 0) * 1024
    }
}
