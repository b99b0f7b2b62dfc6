/// Which slots, or numbers of long values, a stored tree uses: all below a count but those that were free. What comes back
/// from the store may stand for no other, as the writer takes the others for what is new.
struct UsedNumbers {
    private let count: Int
    private var free: [UInt64]

    init(count: Int, free numbers: [UInt32]) {
        self.count = count
        free = Array(repeating: 0, count: count / 64 + 1)
        for number in numbers where number < count { free[Int(number) / 64] |= 1 << UInt64(number % 64) }
    }

    func contains(_ number: UInt32) -> Bool {
        number < count && free[Int(number) / 64] >> UInt64(number % 64) & 1 == 0
    }
}
