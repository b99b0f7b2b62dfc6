/// Whether the open flush is to be hashed while the disk is busy with the one before, so that little is left of that when
/// its turn comes.
///
/// It pays where a core would be idle: once all whom the last flush answered have come again, if by what both took last,
/// hashing is over before the disk is. Elsewhere it would keep the core from those who are about to write, and the next
/// flush from the disk. Times are microseconds of the store's clock; one that is set only makes for a worse guess.
package struct HashingAhead {
    /// How many were answered when the flush before went to the disk; 0 once their flush is hashed.
    private var awaited = 0
    /// How many came since.
    private var arrived = 0
    private var diskBegan: UInt64?
    /// What the disk takes for a flush, smoothed.
    private var diskDuration: UInt64 = 0
    /// What hashing a whole flush took last.
    private var hashDuration: UInt64 = 0
    private var openIsHashed = false
    private var closedIsHashed = false

    package init() {}

    /// A flush was closed, and so many are about to be answered who waited for the one before.
    package mutating func noteClosed(answering count: Int) {
        (closedIsHashed, openIsHashed) = (openIsHashed, false)
        (awaited, arrived) = (count, 0)
    }

    /// Somebody waits for the open flush.
    package mutating func noteArrival() { arrived += 1 }

    /// The closed flush goes to the disk, after what was left to hash of it.
    package mutating func beginDisk(at time: UInt64, afterHashing duration: UInt64) {
        if !closedIsHashed { hashDuration = duration }
        diskBegan = time
    }

    package mutating func endDisk(at time: UInt64) {
        guard let began = diskBegan else { return }
        diskDuration = (3 * diskDuration + time.since(began)) / 4
        diskBegan = nil
    }

    /// Whether to hash the open flush now.
    package func isDue(at now: @autoclosure () -> UInt64) -> Bool {
        guard awaited > 0, arrived >= awaited, let diskBegan else { return false }
        return now().since(diskBegan) + hashDuration < diskDuration
    }

    package mutating func noteHashed(in duration: UInt64) {
        hashDuration = duration
        openIsHashed = true
        awaited = 0
    }
}
