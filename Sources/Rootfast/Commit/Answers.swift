/// Those who wait for a flush, in the order in which they were admitted, and what became of it.
struct Answers {
    var requests: [CommitRequest] = []
    /// What each is told, but for its sequence.
    var receipt = Receipt.nothing
    /// What each is told instead, if the flush failed.
    var failure: StoreError?

    var isEmpty: Bool { requests.isEmpty }

    /// Gives each its answer; none is left then. The threads that wait wake each other, one after the other: to wake them
    /// all from here would hand them the core before this thread has gone on with its work.
    mutating func give() {
        guard !requests.isEmpty else { return }
        var first: Completion?
        for request in requests.reversed() where request.completion.isBlocking {
            put(request, next: first)
            first = request.completion
        }
        for request in requests where !request.completion.isBlocking { put(request, next: nil) }
        requests.removeAll(keepingCapacity: true)
        first?.wake()
    }

    private func put(_ request: CommitRequest, next: Completion?) {
        if let failure { return request.completion.put(failure, next: next) }
        var receipt = receipt
        receipt.sequence = request.sequence
        request.completion.put(receipt, next: next)
    }
}
