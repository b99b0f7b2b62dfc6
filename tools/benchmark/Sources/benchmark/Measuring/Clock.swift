import Foundation

/// The system's monotonic clock, in nanoseconds: cheap enough to be asked at each commit.
enum Clock {
    static var now: UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// What the process has used of the processors.
    static var processorTime: UInt64 { nanoseconds(CLOCK_PROCESS_CPUTIME_ID) }

    static func seconds(since start: UInt64) -> Double { Double(now - start) / 1e9 }

    static func pause(seconds: Double) { Thread.sleep(forTimeInterval: seconds) }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
