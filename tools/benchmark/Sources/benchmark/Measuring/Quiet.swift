import Foundation

enum Quiet {
    /// Waits until nothing is left of earlier work: all is on the disk, and no engine is busy in the background. What
    /// engines compact in this time is not counted against them.
    static func wait() {
        let deadline = Clock.now + 20_000_000_000
        while true {
            sync()
            let used = Clock.processorTime
            Clock.pause(seconds: 0.1)
            if Clock.processorTime - used < 5_000_000 || Clock.now > deadline { return }
        }
    }
}
