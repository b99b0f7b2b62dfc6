import Glibc

/// A line on standard error that tells how far a long command is; only where that is a terminal.
struct Progress: ~Copyable {
    private let isShown = isatty(2) == 1
    private var shownAt: UInt64 = 0
    private var hasShown = false

    /// Shows the text, at most ten times a second.
    mutating func show(_ text: @autoclosure () -> String) {
        guard isShown else { return }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) * 10 + UInt64(time.tv_nsec) / 100_000_000
        guard now != shownAt else { return }
        shownAt = now
        hasShown = true
        Output.raw("\r\u{1b}[K\(text())")
    }

    /// Takes the line away.
    mutating func clear() {
        if hasShown { Output.raw("\r\u{1b}[K") }
        hasShown = false
    }
}
