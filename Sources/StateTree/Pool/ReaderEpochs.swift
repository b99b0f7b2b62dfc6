import CMemory

/// Tells when all have finished who were reading at some moment, without making readers wait.
///
/// Time is cut into *epochs*. A reader counts itself in the current one and out of it again; a new epoch begins once
/// nobody is left who entered before the current one. So what was done in epoch `e`, before the next began, is known to
/// every reader there is as soon as `e` is `past`. Two counters are enough, for even epochs and for odd ones
/// (sleepable read-copy-update: P. McKenney, "Sleepable RCU", 2006), each split into stripes that threads seldom share.
struct ReaderEpochs {
    private static let stripeCount = 16
    /// A stripe has two counters, each in a cache line of its own.
    private static let wordsPerStripe = 16

    private let words: UnsafeMutablePointer<Int64>
    private let current: UnsafeMutablePointer<Int64>

    init() {
        words = .allocate(capacity: Self.stripeCount * Self.wordsPerStripe)
        words.initialize(repeating: 0, count: Self.stripeCount * Self.wordsPerStripe)
        current = .allocate(capacity: 1)
        current.initialize(to: 2)
    }

    func free() {
        words.deallocate()
        current.deallocate()
    }

    /// Counts a reader in; give what this returns to `leave`.
    @inline(__always)
    func enter() -> UnsafeMutablePointer<Int64> {
        let counter = counter(Int(rootfast_thread_stripe()), rootfast_load(current))
        rootfast_add(counter, 1)
        return counter
    }

    @inline(__always)
    func leave(_ counter: UnsafeMutablePointer<Int64>) { rootfast_add(counter, -1) }

    // MARK: - One thread at a time

    var epoch: Int64 { rootfast_load(current) }
    /// No reader is left who entered in this epoch or before the next began.
    var past: Int64 { epoch - 2 }

    /// Begins the next epoch if nobody is left of the one before the current.
    func advance() {
        let epoch = epoch
        for stripe in 0..<Self.stripeCount where rootfast_load(counter(stripe, epoch - 1)) != 0 { return }
        rootfast_add(current, 1)
    }

    @inline(__always)
    private func counter(_ stripe: Int, _ epoch: Int64) -> UnsafeMutablePointer<Int64> {
        words + (stripe &* Self.wordsPerStripe &+ (Int(epoch) & 1) &* 8)
    }
}
